import type { Database } from '@gatehouse/db/client';
import { takeDueJobs } from '@gatehouse/db/due-jobs';
import { assertReady } from '@gatehouse/jobs/connection';
import { QUEUES, type QueueName } from '@gatehouse/jobs/definition';
import type { Dispatcher } from '@gatehouse/jobs/dispatcher';
import type { Redis } from 'ioredis';
import type { Logger } from 'pino';
import { type Repeat, repeat } from '../repeat.ts';
import { createGroupRelay, type GroupRelay } from './groups.ts';

/**
 * Polling, and no NOTIFY: with its partial index an idle poll costs a tenth of a millisecond, what waits here is
 * retries, delays and overflow, and NOTIFY takes a lock over all commits of the database.
 */
const EVERY_MS = 200;

/** Rows that one statement takes at most. */
const BATCH = 500;

export interface RelayParts {
  db: Database;
  redis: Redis;
  dispatcher: Dispatcher;
  log: Logger;
}

/**
 * Hands jobs that are due to Redis, as many as their queue's window takes. Any number of workers may do so at once.
 *
 * A process that dies between taking rows and handing them over leaves them to the sweep.
 */
export function startRelay({ db, redis, dispatcher, log }: RelayParts): Repeat {
  const relayGroups = createGroupRelay(db, dispatcher);
  return repeat({ what: 'the relay', everyMs: EVERY_MS, log }, async (signal) => {
    for (const queue of QUEUES) {
      if (signal.aborted) return;
      assertReady(redis);
      await relayQueue({ db, dispatcher, relayGroups }, queue);
    }
  });
}

async function relayQueue(
  {
    db,
    dispatcher,
    relayGroups,
  }: Pick<RelayParts, 'db' | 'dispatcher'> & { relayGroups: GroupRelay },
  queue: QueueName,
): Promise<void> {
  let room = await dispatcher.room(queue);
  while (room > 0) {
    const limit = Math.min(room, BATCH);
    const jobs = await takeDueJobs(db, queue, limit);
    dispatcher.dispatch(jobs);
    room -= jobs.length;
    if (jobs.length < limit) break;
  }
  if (room > 0) await relayGroups(queue, room);
}
