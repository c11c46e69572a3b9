import type { Database } from '@gatehouse/db/client';
import { findDispatchedJobs, redispatchJobs, type SweptJob } from '@gatehouse/db/jobs';
import { assertReady } from '@gatehouse/jobs/connection';
import { findLost } from '@gatehouse/jobs/lost-jobs';
import { applyPauses } from '@gatehouse/jobs/queue-pauses';
import type { Queues } from '@gatehouse/jobs/queues';
import type { Redis } from 'ioredis';
import type { Logger } from 'pino';
import { type Repeat, repeat } from '../repeat.ts';

const EVERY_MS = 1_000;
const FULL_EVERY_MS = 15_000;

/** A commit's hand-over takes milliseconds: what Redis does not know after this long is lost. */
const GRACE_MS = 500;
const PAGE = 1_000;

/** In Redis as long as it keeps its data. */
const EPOCH_KEY = 'gatehouse:epoch';

export interface SweepParts {
  db: Database;
  redis: Redis;
  queues: Queues;
  log: Logger;
}

/**
 * Finds jobs that are marked as dispatched but that Redis does not know (the process died between its commit and
 * the hand-over, or Redis lost its data) and gives them back to the relay.
 *
 * Each job is looked at once, half a second to one and a half after its dispatch. All of them are looked at after
 * the start, when Redis turns out to be empty, and now and then, for what was lost later or in part.
 *
 * Queues that are paused are paused in Redis again before: what is given back must not run there.
 */
export function startSweep({ db, redis, queues, log }: SweepParts): Repeat {
  let last: SweptJob | null = null;
  let fullAt = Number.NEGATIVE_INFINITY;
  return repeat({ what: 'the sweep', everyMs: EVERY_MS, log }, async (signal) => {
    assertReady(redis);
    const pause = () => applyPauses(db, Object.values(queues));
    await pause();
    const isEmptied = (await redis.set(EPOCH_KEY, new Date().toISOString(), 'NX')) !== null;
    // Kept until a full pass has succeeded: the key will not be missing a second time.
    if (isEmptied) fullAt = Number.NEGATIVE_INFINITY;
    const isFull = performance.now() - fullAt >= FULL_EVERY_MS;
    if (isFull) last = null;
    while (!signal.aborted) {
      const page: SweptJob[] = await findDispatchedJobs(db, {
        after: last,
        olderThanMs: GRACE_MS,
        limit: PAGE,
      });
      last = page.at(-1) ?? last;
      // Whatever happened since the page was read does no harm. A job that was settled has no row; one that failed
      // is in another generation; one whose hand-over is slow runs twice, and settles once.
      const lost = await findLost(redis, page);
      // Redis may have lost them, and that a queue is paused, since the round began.
      if (lost.length > 0) {
        await pause();
        const jobs = await redispatchJobs(db, lost);
        if (jobs > 0) log.warn({ jobs }, 'jobs that Redis does not know are dispatched again');
      }
      if (page.length < PAGE) break;
    }
    if (isFull) fullAt = performance.now();
  });
}
