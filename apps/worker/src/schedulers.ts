import { newId } from '@gatehouse/domain/id';
import { assertReady } from '@gatehouse/jobs/connection';
import type { ScheduleDefinition } from '@gatehouse/jobs/definition';
import type { Queues } from '@gatehouse/jobs/queues';
import type { Redis } from 'ioredis';
import type { Logger } from 'pino';
import { type Repeat, repeat } from './repeat.ts';

/** How often a round is offered in a period; by so much of it a round may be late. */
const OFFERS = 4;
const OFFERED_EVERY_MS = { least: 250, most: 10_000 } as const;

/** A round tells little once it is over, and there are many. */
const KEPT = { removeOnComplete: { count: 20 }, removeOnFail: { count: 100 } };

export interface SchedulerParts {
  queues: Queues;
  redis: Redis;
  schedules: readonly ScheduleDefinition[];
  log: Logger;
}

/**
 * Starts the rounds of every schedule, one in each period over all workers together: each worker offers one again
 * and again, and Redis takes the first when the period of the last is over.
 *
 * BullMQ's own schedulers reckon with the clock of whichever worker comes by: one that is five minutes ahead has the
 * next round wait for five minutes, and the others keep that. Here no clock but that of Redis is asked.
 */
export function startSchedulers({ queues, redis, schedules, log }: SchedulerParts): Repeat {
  const loops = schedules.map(({ name, queue, everyMs }) => {
    const offeredEveryMs = Math.min(
      Math.max(everyMs / OFFERS, OFFERED_EVERY_MS.least),
      OFFERED_EVERY_MS.most,
    );
    const options = { what: `the schedule ${name}`, everyMs: offeredEveryMs, log };
    return repeat(options, async () => {
      assertReady(redis);
      // Each time it would add a round to those that wait already, since none of them begins.
      if (await queues[queue].isPaused()) return;
      // Of an id that no row has: a round is owed to nobody.
      const round = { id: newId(), generation: 0, payload: {}, requestId: null };
      const deduplication = { id: name, ttl: everyMs };
      await queues[queue].add(name, round, { ...KEPT, deduplication });
    });
  });
  return {
    async stop() {
      await Promise.all(loops.map((loop) => loop.stop()));
    },
  };
}
