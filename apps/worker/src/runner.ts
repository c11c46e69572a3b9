import { QUEUES, type QueueName } from '@gatehouse/jobs/definition';
import { type Consumer, type ConsumerParts, createConsumer } from './consumer.ts';

export interface Runner {
  readonly queue: QueueName;
  readonly state: 'starting' | 'running' | 'closing';
  /** How many jobs of the queue run in this process. */
  readonly running: number;
  /** How many jobs it has taken so far. */
  readonly taken: number;
  /** Milliseconds since it took a job last, or since it was made. */
  readonly sinceTakenMs: number;
  /** Whether all places are taken, so that no other job can be. */
  readonly isFull: boolean;
  /** Whether the loop that takes jobs is over although nobody closed it. */
  readonly hasEnded: boolean;
  start(): void;
  /**
   * Puts a new BullMQ worker with a new connection in the place of the one that is. The jobs of that one go on and
   * may settle, so for a while there may be twice as many. Does nothing once the runner closes.
   */
  recreate(): void;
  /**
   * Takes no more jobs; resolves when the running ones are over. There is no forced close after it: to a
   * `close(true)` BullMQ then answers with the promise of the first.
   */
  close(): Promise<void>;
  /** Fires the signals of the running jobs. */
  abort(): void;
}

/**
 * Jobs at a time of a queue whose jobs do little but wait: a run of `deliver-webhooks` waits for its receiver, half a
 * minute long when that is slow, and others are not to wait for it.
 */
const WAITING_JOBS: Readonly<Partial<Record<QueueName, number>>> = { webhooks: 500 };

/** One runner per queue, so that a queue that is slow never holds up another. */
export function createRunners(parts: ConsumerParts): Runner[] {
  return QUEUES.map((queue) => {
    const concurrency = WAITING_JOBS[queue] ?? parts.concurrency;
    const runner = createRunner(queue, { ...parts, concurrency });
    parts.metrics.watch(runner);
    return runner;
  });
}

function createRunner(queue: QueueName, parts: ConsumerParts): Runner {
  const log = parts.log.child({ queue });
  let state: Runner['state'] = 'starting';
  let taken = 0;
  let takenAt = performance.now();
  const create = (): Consumer =>
    createConsumer(queue, { ...parts, log }, () => {
      taken += 1;
      takenAt = performance.now();
    });
  let current = create();
  /** Those that were replaced and are not closed yet. One that is wedged never is. */
  const retired = new Set<Consumer>();
  const all = (): Consumer[] => [current, ...retired];

  const retire = (consumer: Consumer): void => {
    retired.add(consumer);
    consumer
      .close()
      .catch((error: unknown) => log.warn({ err: error }, 'a replaced worker did not close'))
      .finally(() => retired.delete(consumer));
  };

  return {
    queue,
    get state() {
      return state;
    },
    get running() {
      return all().reduce((sum, { running }) => sum + running, 0);
    },
    get taken() {
      return taken;
    },
    get sinceTakenMs() {
      return performance.now() - takenAt;
    },
    get isFull() {
      return current.running >= parts.concurrency;
    },
    get hasEnded() {
      return state === 'running' && current.hasEnded;
    },
    start() {
      state = 'running';
      current.start();
    },
    recreate() {
      if (state !== 'running') return;
      const old = current;
      current = create();
      current.start();
      retire(old);
      parts.metrics.recreated(queue);
    },
    async close() {
      state = 'closing';
      // Their jobs are waited for, they are not: they were replaced because they hang.
      await Promise.all([current.close(), ...[...retired].map((each) => each.jobsOver())]);
    },
    abort() {
      for (const each of all()) each.abort();
    },
  };
}
