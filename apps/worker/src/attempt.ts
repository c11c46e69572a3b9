import type { Database } from '@gatehouse/db/client';
import { isLatestDispatch } from '@gatehouse/db/jobs';
import type { CarriedJob } from '@gatehouse/jobs/queues';
import type { Logger } from 'pino';
import type { FailureBook } from './failures.ts';
import type { JobContext, JobProcessor } from './processor.ts';
import type { Registry } from './registry.ts';
import { settleAlone } from './settlement.ts';

/** Runs what BullMQ carries; rejects when the attempt failed, after that was written down. */
export type Attempt = (job: CarriedJob, signal: AbortSignal) => Promise<void>;

export interface AttemptParts {
  db: Database;
  registry: Registry;
  failures: FailureBook;
  log: Logger;
}

export function createAttempt({ db, registry, failures, log }: AttemptParts): Attempt {
  return async (job, signal) => {
    const processor = registry.get(job.name);
    if (processor?.kind === 'schedule') {
      await processor.run({ signal, log: log.child({ name: job.name }) });
      return;
    }
    try {
      if (processor === undefined) throw new Error(`no processor for a job named ${job.name}`);
      await runOnce({ db, log }, processor, job, signal);
    } catch (error) {
      const isOwed = await failures.record(job, error, signal.aborted);
      // Settled by another delivery meanwhile, or by this one before it threw: nothing has failed.
      if (isOwed) throw error;
    }
  };
}

async function runOnce(
  { db, log }: Pick<AttemptParts, 'db' | 'log'>,
  processor: JobProcessor,
  job: CarriedJob,
  signal: AbortSignal,
): Promise<void> {
  const { id: jobId, generation, payload, requestId } = job.data;
  let settled = false;
  let superseded = false;
  const isOwed: JobContext['isOwed'] = async () => {
    superseded = !(await isLatestDispatch(db, { jobId, generation }));
    return !superseded;
  };
  const once = async (paying: () => Promise<boolean>): Promise<boolean> => {
    if (settled) throw new Error(`${job.name} settled twice`);
    const isFirst = await paying();
    settled = true;
    return isFirst;
  };
  const context: Omit<JobContext, 'log'> = {
    jobId,
    requestId,
    signal,
    isOwed,
    settle: (effect) => once(() => settleAlone(db, jobId, effect)),
    settleTogether: (group, item) => once(() => group.settle(jobId, item)),
  };
  await processor.run(payload, {
    ...context,
    log: log.child({ jobId, requestId, name: job.name }),
  });
  if (!settled && !superseded) throw new Error(`${job.name} returned without settling its job`);
}
