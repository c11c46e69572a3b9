import type { Database } from '@gatehouse/db/client';
import { findAttempts, recordFailure, redispatchJobs } from '@gatehouse/db/jobs';
import { nextRetryMs } from '@gatehouse/jobs/backoff';
import type { RetryPolicy } from '@gatehouse/jobs/definition';
import type { CarriedJob } from '@gatehouse/jobs/queues';
import type { Logger } from 'pino';
import type { Registry } from './registry.ts';

/** Characters of an error that are kept: some errors carry a whole statement. */
const ERROR_LENGTH = 2_000;

/** For a job of a newer version: while a deployment goes on, it may meet a worker that does not know it yet. */
const UNKNOWN_JOB: RetryPolicy = { attempts: 12, backoffMs: 1_000, maxBackoffMs: 60_000 };

export interface FailureBook {
  /**
   * Writes a failed attempt and the time of the next to the job's row. An attempt that the shutdown cut short is
   * not counted, and the job goes to another worker at once.
   *
   * False when the job is owed no longer. Never throws: when Postgres does not answer, the row stays marked as
   * dispatched, and the sweep finds that Redis is done with it.
   */
  record(job: CarriedJob, error: unknown, isCutShort: boolean): Promise<boolean>;
}

export function createFailureBook(db: Database, registry: Registry, log: Logger): FailureBook {
  return {
    async record({ name, queueName, data }, error, isCutShort) {
      const { id: jobId, generation } = data;
      try {
        const attempts = await findAttempts(db, jobId);
        if (attempts === null) return false;
        if (isCutShort) {
          await redispatchJobs(db, [{ ...data, name, queue: queueName }]);
          return true;
        }
        const processor = registry.get(name);
        const policy = processor?.kind === 'job' ? processor.definition.retry : UNKNOWN_JOB;
        const retryInMs = nextRetryMs(policy, attempts + 1, Math.random());
        await recordFailure(db, { jobId, generation, error: describe(error), retryInMs });
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
