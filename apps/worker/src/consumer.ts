import { isReady } from '@gatehouse/jobs/connection';
import type { QueueName } from '@gatehouse/jobs/definition';
import { type CarriedJob, type JobData, queuePrefix } from '@gatehouse/jobs/queues';
import { MetricsTime, UnrecoverableError, Worker } from 'bullmq';
import type { Redis } from 'ioredis';
import type { Logger } from 'pino';
import type { Attempt } from './attempt.ts';
import type { FailureBook } from './failures.ts';
import type { Metrics } from './metrics.ts';

/**
 * How long a job of a dead worker stays its own. Short, because a job that is taken away from a worker that only
 * froze does no harm: whoever comes second settles nothing. Renewed at half of it.
 */
const LOCK_MS = 10_000;

/** How often the locks of running jobs are looked at. Together: a dead worker's jobs fail after 10 to 13 s. */
const STALLED_INTERVAL_MS = 3_000;

/** One BullMQ worker. It is not started anew: another takes its place. */
export interface Consumer {
  /** How many of its jobs run. */
  readonly running: number;
  /** Whether its loop is over, closed or not. */
  readonly hasEnded: boolean;
  start(): void;
  /** Takes no more jobs; resolves when the running ones are over. Never, when it is wedged. */
  close(): Promise<void>;
  /** Resolves when the jobs that run now are over, however they end. */
  jobsOver(): Promise<void>;
  /** Fires the signals of the running jobs. */
  abort(): void;
}

export interface ConsumerParts {
  /** Shared by all consumers; each adds a connection of its own to wait on. */
  connection: Redis;
  concurrency: number;
  attempt: Attempt;
  failures: FailureBook;
  metrics: Metrics;
  log: Logger;
}

/** `onTaken` is called for each job that it takes from the queue. */
export function createConsumer(
  queue: QueueName,
  { connection, concurrency, attempt, failures, metrics, log }: ConsumerParts,
  onTaken: () => void,
): Consumer {
  const runs = new Set<Promise<void>>();
  let hasEnded = false;
  const worker = new Worker<JobData, void, string>(
    queue,
    // BullMQ makes a signal for processors that declare three parameters.
    (job, _token, signal) => {
      const run = attempt(job, signal ?? new AbortController().signal);
      runs.add(run);
      return run.finally(() => runs.delete(run));
    },
    {
      connection,
      prefix: queuePrefix(queue),
      autorun: false,
      concurrency,
      lockDuration: LOCK_MS,
      stalledInterval: STALLED_INTERVAL_MS,
      // A job that took its worker down with it has failed, and the ledger counts it. Were BullMQ to run it again
      // by itself, a job that kills its worker would kill twice as many before it is dead.
      maxStalledCount: 0,
      // Without it the totals that Bull Board shows stay 0.
      metrics: { maxDataPoints: MetricsTime.ONE_WEEK },
      skipVersionCheck: true,
    },
  );

  const finished = (job: CarriedJob) => {
    const durationMs = Math.max(0, (job.finishedOn ?? 0) - (job.processedOn ?? 0));
    const { id: jobId = job.id, requestId = null } = job.data;
    return { name: job.name, jobId, requestId, durationMs };
  };
  worker.on('active', onTaken);
  worker.on('completed', (job) => {
    const line = finished(job);
    metrics.completed(queue, job.name, line.durationMs);
    log.debug(line, 'job completed');
  });
  worker.on('failed', (job, error) => {
    if (job === undefined) return;
    const line = finished(job);
    metrics.failed(queue, job.name, line.durationMs);
    if (!(error instanceof UnrecoverableError)) {
      log.warn({ ...line, err: error }, 'job failed');
      return;
    }
    // BullMQ's own verdict on a job whose lock ran out; our attempt did not end, so it has written nothing.
    const loss = 'the run was lost: its worker died, or was cut off from Redis';
    log.warn(line, loss);
    void failures.record(job, new Error(loss), false);
  });
  worker.on('error', (error) => {
    // While Redis is away, every command says so; the connection's own outage is logged once, elsewhere.
    const level = isReady(connection) ? 'warn' : 'debug';
    log[level]({ err: error }, 'the worker of the queue met an error');
  });

  return {
    get running() {
      return runs.size;
    },
    get hasEnded() {
      return hasEnded;
    },
    start() {
      worker
        .run()
        .catch((error: unknown) => log.error({ err: error }, 'the worker of the queue ended'))
        .finally(() => {
          hasEnded = true;
        });
    },
    close: () => worker.close(),
    async jobsOver() {
      await Promise.allSettled(runs);
    },
    abort: () => worker.cancelAllJobs('the worker is shutting down'),
  };
}
