import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';

/** What is read of a runner whenever somebody asks for the metrics. */
export interface WatchedRunner {
  readonly queue: string;
  readonly running: number;
  readonly sinceTakenMs: number;
}

/** The same of the publisher. */
export interface WatchedPublisher {
  readonly lagSeconds: number;
}

export interface Metrics {
  completed(queue: string, name: string, durationMs: number): void;
  failed(queue: string, name: string, durationMs: number): void;
  recreated(queue: string): void;
  /** Shows from now on what the runner does. */
  watch(runner: WatchedRunner): void;
  watchPublisher(publisher: WatchedPublisher): void;
  readonly contentType: string;
  /** All metrics of the process as Prometheus text. */
  text(): Promise<string>;
}

/** Metrics of one worker, in a registry of its own. */
export function createMetrics(): Metrics {
  const register = new Registry();
  collectDefaultMetrics({ register });
  const registers = [register];
  const labelNames = ['queue', 'name'] as const;
  const processed = new Counter({
    name: 'gatehouse_jobs_processed_total',
    help: 'Runs of jobs that ended well.',
    labelNames,
    registers,
  });
  const failures = new Counter({
    name: 'gatehouse_jobs_failed_total',
    help: 'Runs of jobs that failed; each may be tried again.',
    labelNames,
    registers,
  });
  const duration = new Histogram({
    name: 'gatehouse_job_duration_seconds',
    help: 'From the start of a run to its end, however it ended.',
    labelNames,
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
    registers,
  });
  const recreations = new Counter({
    name: 'gatehouse_consumers_recreated_total',
    help: 'Consumers that took no jobs although jobs waited, and were replaced.',
    labelNames: ['queue'],
    registers,
  });
  const runners: WatchedRunner[] = [];
  new Gauge({
    name: 'gatehouse_jobs_running',
    help: 'Jobs that run now.',
    labelNames: ['queue'],
    registers,
    collect() {
      for (const { queue, running } of runners) this.set({ queue }, running);
    },
  });
  new Gauge({
    name: 'gatehouse_seconds_since_job_taken',
    help: 'Since a job was taken from the queue last, or since the start. It grows while none waits, too.',
    labelNames: ['queue'],
    registers,
    collect() {
      for (const { queue, sinceTakenMs } of runners) this.set({ queue }, sinceTakenMs / 1000);
    },
  });
  let publisher: WatchedPublisher | null = null;
  new Gauge({
    name: 'gatehouse_event_publishing_lag_seconds',
    help: 'How long the oldest event has waited for its place in the log, as this worker last saw it.',
    registers,
    collect() {
      this.set(publisher?.lagSeconds ?? 0);
    },
  });
  const count =
    (counter: typeof processed) => (queue: string, name: string, durationMs: number) => {
      counter.inc({ queue, name });
      duration.observe({ queue, name }, durationMs / 1000);
    };
  return {
    completed: count(processed),
    failed: count(failures),
    recreated: (queue) => recreations.inc({ queue }),
    watch(runner) {
      runners.push(runner);
      // A counter that is not there before its first event hides that event from `rate()`.
      recreations.inc({ queue: runner.queue }, 0);
    },
    watchPublisher(watched) {
      publisher = watched;
    },
    contentType: register.contentType,
    text: () => register.metrics(),
  };
}
