import type { Database } from '@gatehouse/db/client';
import { GroupCommit } from '@gatehouse/db/group-commit';
import { areLatest, type Dispatch } from '@gatehouse/db/jobs';
import { DEFAULT_TIMEOUT_MS } from '@gatehouse/jobs/definition';
import type { CarriedJob } from '@gatehouse/jobs/queues';
import type { Logger } from 'pino';
import { withDeadline } from './deadline.ts';
import type { FailureBook } from './failures.ts';
import { NotYet } from './not-yet.ts';
import type { JobContext, JobProcessor } from './processor.ts';
import type { Registry } from './registry.ts';
import { settleAlone } from './settlement.ts';

/** Runs what BullMQ carries; rejects when the attempt failed, after that was written down. */
export type Attempt = (job: CarriedJob, signal: AbortSignal) => Promise<void>;

export interface AttemptParts {
  db: Database;
  registry: Registry;
  failures: FailureBook;
  /** Called when a job of a group is over, or has failed: the next of them may run. */
  onGroupFree: (queue: string, groupKey: string) => void;
  log: Logger;
}

/** For a job of a newer version: while a deployment goes on, it may meet a worker that does not know it yet. */
const UNKNOWN_RETRY_MS = 5_000;

export function createAttempt(parts: AttemptParts): Attempt {
  const { db, registry, failures, onGroupFree, log } = parts;
  // Runs that ask while a question is under way share the next.
  const latest = new GroupCommit<Dispatch, boolean>({
    commit: (dispatches) => areLatest(db, dispatches),
    isFaultOfOne: () => false,
    maxBatch: 500,
  });
  return async (job, signal) => {
    const processor = registry.get(job.name);
    if (processor?.kind === 'schedule') {
      await withDeadline(DEFAULT_TIMEOUT_MS, signal, (inner) =>
        processor.run({ signal: inner, log: log.child({ name: job.name }) }),
      );
      return;
    }
    try {
      if (processor === undefined) {
        throw new NotYet(`no processor for a job named ${job.name}`, UNKNOWN_RETRY_MS);
      }
      await runOnce({ db, log, latest }, processor, job, signal);
    } catch (error) {
      const isOwed = await failures.record(job, error, signal.aborted);
      // Settled by another delivery meanwhile, or by this one before it threw: nothing has failed.
      if (isOwed) throw error;
    } finally {
      const { groupKey } = job.data;
      if (groupKey !== undefined) onGroupFree(job.queueName, groupKey);
    }
  };
}

interface RunParts extends Pick<AttemptParts, 'db' | 'log'> {
  latest: GroupCommit<Dispatch, boolean>;
}

async function runOnce(
  { db, log, latest }: RunParts,
  processor: JobProcessor,
  job: CarriedJob,
  outer: AbortSignal,
): Promise<void> {
  const { id: jobId, generation, payload, requestId } = job.data;
  let settled = false;
  let superseded = false;
  let isOver = false;
  const isOwed: JobContext['isOwed'] = async () => {
    superseded = isOver || !(await latest.add({ id: jobId, generation }));
    return !superseded;
  };
  const once = async (paying: () => Promise<boolean>): Promise<boolean> => {
    if (settled) throw new Error(`${job.name} settled twice`);
    // It was given up, and the next attempt may be under way: what it had in mind is that one's to do.
    if (isOver) throw new Error(`${job.name} settled after its run was over`);
    const isFirst = await paying();
    settled = true;
    return isFirst;
  };
  const context: Omit<JobContext, 'signal'> = {
    jobId,
    requestId,
    isOwed,
    settle: (effect) => once(() => settleAlone(db, jobId, effect)),
    settleTogether: (group, item) => once(() => group.settle(jobId, item)),
    log: log.child({ jobId, requestId, name: job.name }),
  };
  try {
    const { timeoutMs = DEFAULT_TIMEOUT_MS } = processor.definition;
    await withDeadline(timeoutMs, outer, (signal) =>
      processor.run(payload, { ...context, signal }),
    );
  } finally {
    isOver = true;
  }
  if (!settled && !superseded) throw new Error(`${job.name} returned without settling its job`);
}
