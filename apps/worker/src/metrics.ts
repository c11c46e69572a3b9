import { Counter, collectDefaultMetrics, Histogram, Registry } from 'prom-client';

export interface Metrics {
  completed(queue: string, name: string, durationMs: number): void;
  failed(queue: string, name: string, durationMs: number): void;
  readonly contentType: string;
  /** All metrics of the process as Prometheus text. */
  text(): Promise<string>;
}

/** Metrics of one worker, in a registry of its own. */
export function createMetrics(): Metrics {
  const register = new Registry();
  collectDefaultMetrics({ register });
  const labelNames = ['queue', 'name'] as const;
  const processed = new Counter({
    name: 'gatehouse_jobs_processed_total',
    help: 'Runs of jobs that ended well.',
    labelNames,
    registers: [register],
  });
  const failures = new Counter({
    name: 'gatehouse_jobs_failed_total',
    help: 'Runs of jobs that failed; each may be tried again.',
    labelNames,
    registers: [register],
  });
  const duration = new Histogram({
    name: 'gatehouse_job_duration_seconds',
    help: 'From the start of a run to its end, however it ended.',
    labelNames,
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
    registers: [register],
  });
  const count =
    (counter: typeof processed) => (queue: string, name: string, durationMs: number) => {
      counter.inc({ queue, name });
      duration.observe({ queue, name }, durationMs / 1000);
    };
  return {
    completed: count(processed),
    failed: count(failures),
    contentType: register.contentType,
    text: () => register.metrics(),
  };
}
