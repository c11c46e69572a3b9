import type { Database } from '@gatehouse/db/client';
import { isDatabaseUnavailable } from '@gatehouse/db/errors';
import { GroupCommit } from '@gatehouse/db/group-commit';
import {
  type EndpointHealth,
  type NewAttempt,
  recordAttempts,
} from '@gatehouse/db/webhook-attempts';

/** Enough that a commit is a small part of the cost of an attempt, with answers of 16 KB in memory all the same. */
const MAX_BATCH = 250;

/** Attempts that may wait, over all lanes of a process, before no more are made: they hold up to 16 KB each. */
const MOST_WAITING = 2_000;

/** Writes down attempts of all lanes of the process together. Resolves with the endpoint's health when it fails. */
export interface Recorder {
  /** Whether as many attempts wait to be written down as may. */
  readonly isFull: boolean;
  record(attempt: NewAttempt): Promise<EndpointHealth | null>;
}

export function createRecorder(db: Database, { mostWaiting = MOST_WAITING } = {}): Recorder {
  const group = new GroupCommit<NewAttempt, EndpointHealth | null>({
    maxBatch: MAX_BATCH,
    isFaultOfOne: (error) => !isDatabaseUnavailable(error),
    commit: async (attempts) => {
      const failing = await recordAttempts(db, attempts);
      const healthOf = new Map(failing.map((health) => [health.endpointId, health]));
      return attempts.map(({ endpointId, url }) => {
        const health = healthOf.get(endpointId);
        // That of another URL is none of its.
        return health?.url === url ? health : null;
      });
    },
  });
  let waiting = 0;
  return {
    get isFull() {
      return waiting >= mostWaiting;
    },
    async record(attempt) {
      waiting += 1;
      try {
        return await group.add(attempt);
      } finally {
        waiting -= 1;
      }
    },
  };
}
