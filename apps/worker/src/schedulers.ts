import type { ScheduleDefinition } from '@gatehouse/jobs/definition';
import type { Queues } from '@gatehouse/jobs/queues';
import type { Redis } from 'ioredis';
import type { Logger } from 'pino';
import { assertReady } from './relay/redis-ready.ts';
import { type Repeat, repeat } from './repeat.ts';

/** Again and again, and any number of workers: it changes nothing, unless Redis has lost its data. */
const EVERY_MS = 10_000;

/** A round tells little once it is over, and there are many. */
const KEPT = { removeOnComplete: { count: 20 }, removeOnFail: { count: 100 } };

export interface SchedulerParts {
  queues: Queues;
  redis: Redis;
  schedules: readonly ScheduleDefinition[];
  log: Logger;
}

/** Has BullMQ start the rounds of every schedule, over all workers together. */
export function startSchedulers({ queues, redis, schedules, log }: SchedulerParts): Repeat {
  return repeat({ what: 'the scheduler', everyMs: EVERY_MS, log }, async () => {
    assertReady(redis);
    for (const { name, queue, everyMs } of schedules) {
      await queues[queue].upsertJobScheduler(name, { every: everyMs }, { name, opts: KEPT });
    }
  });
}
