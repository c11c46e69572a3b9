import type { Database } from '@gatehouse/db/client';
import { findOwed, recordFailure, redispatchJobs } from '@gatehouse/db/jobs';
import { nextRetryMs } from '@gatehouse/jobs/backoff';
import { DATABASE_RETRY } from '@gatehouse/jobs/definition';
import type { CarriedJob } from '@gatehouse/jobs/queues';
import type { Logger } from 'pino';
import { NotYet } from './not-yet.ts';
import type { Registry } from './registry.ts';

/** Characters of an error that are kept: some errors carry a whole statement. */
const ERROR_LENGTH = 2_000;

export interface FailureBook {
  /**
   * Writes a failed attempt and the time of the next to the job's row. Not counted are an attempt that the shutdown
   * cut short, which goes to another worker at once, and one that could not even try (`NotYet`), for a day or more.
   *
   * False when the job is owed no longer. Never throws: when Postgres does not answer, the row stays marked as
   * dispatched, and the sweep finds that Redis is done with it.
   */
  record(job: CarriedJob, error: unknown, isCutShort: boolean): Promise<boolean>;
}

export function createFailureBook(db: Database, registry: Registry, log: Logger): FailureBook {
  return {
    async record({ name, data }, error, isCutShort) {
      const { id: jobId, generation } = data;
      try {
        const owed = await findOwed(db, jobId);
        if (owed === null) return false;
        if (isCutShort) {
          await redispatchJobs(db, [data]);
          return true;
        }
        const isPutOff = error instanceof NotYet && owed.ageMs < error.patienceMs;
        const processor = registry.get(name);
        const policy = processor?.kind === 'job' ? processor.definition.retry : DATABASE_RETRY;
        await recordFailure(db, {
          jobId,
          generation,
          error: describe(error),
          isCounted: !isPutOff,
          retryInMs: isPutOff
            ? error.retryInMs
            : nextRetryMs(policy, owed.attempts + 1, Math.random()),
        });
      } catch (recordError) {
        log.warn({ err: recordError, jobId, name }, 'a failed attempt could not be written down');
      }
      return true;
    },
  };
}

function describe(error: unknown): string {
  // NUL is the one character that a text in Postgres cannot hold.
  return String(error).replaceAll('\0', '').slice(0, ERROR_LENGTH);
}
