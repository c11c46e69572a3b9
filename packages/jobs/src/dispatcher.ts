import type { Database } from '@gatehouse/db/client';
import { type DispatchedJob, returnJobs } from '@gatehouse/db/jobs';
import type { Redis } from 'ioredis';
import { assertReady, isReady } from './connection.ts';
import type { QueueName } from './definition.ts';
import { dispatchId, type JobQueue, type Queues } from './queues.ts';

/** What is needed of a pino logger. */
export interface Log {
  warn(details: object, message: string): void;
}

/** Jobs of one queue that may be in Redis at once. The others wait in Postgres, where a million is nothing. */
export const WINDOW = 5_000;

/** How many jobs one `addBulk` carries at most. */
const BATCH = 500;

/** Milliseconds for which a measured queue length is believed. */
const LENGTH_LIFETIME_MS = 250;

/** Hands jobs that are committed to BullMQ. */
export interface Dispatcher {
  /** Whether new jobs of the queue may go to Redis at once, or are better left to the relay. */
  accepts(queue: QueueName): boolean;
  /** Hands over, together with its neighbours. Never throws: what fails goes back to the relay. */
  dispatch(jobs: readonly DispatchedJob[]): void;
  /** Resolves when everything given so far is in Redis or went back to the relay. */
  drain(): Promise<void>;
  /** How many more jobs the queue's window takes. Asks Redis; throws when it does not answer. */
  room(queue: QueueName): Promise<number>;
}

class Lane {
  readonly #queue: JobQueue;
  readonly #redis: Redis;
  readonly #giveBack: (jobs: DispatchedJob[], error: unknown) => Promise<void>;
  #pending: DispatchedJob[] = [];
  #flight: Promise<void> | undefined;
  #inFlight = 0;
  #length = 0;
  #measuredAt = 0;

  constructor(
    queue: JobQueue,
    redis: Redis,
    giveBack: (jobs: DispatchedJob[], error: unknown) => Promise<void>,
  ) {
    this.#queue = queue;
    this.#redis = redis;
    this.#giveBack = giveBack;
  }

  /** Whether there is room, as far as is known. A lane that was full looks again: nothing else would tell it. */
  accepts(): boolean {
    if (!isReady(this.#redis)) return false;
    const isFull = this.#length >= WINDOW;
    if (isFull) void this.#refresh();
    return !isFull;
  }

  push(job: DispatchedJob): void {
    this.#pending.push(job);
    this.#flight ??= this.#fly().finally(() => {
      this.#flight = undefined;
    });
  }

  async settled(): Promise<void> {
    while (this.#flight !== undefined) await this.#flight;
  }

  /** What the queue has, and what is on its way there. */
  async measure(): Promise<number> {
    assertReady(this.#redis);
    this.#measuredAt = performance.now();
    const inRedis = await this.#queue.getJobCountByTypes('wait', 'active', 'prioritized');
    this.#length = inRedis + this.#pending.length + this.#inFlight;
    return this.#length;
  }

  async #refresh(): Promise<void> {
    if (performance.now() - this.#measuredAt < LENGTH_LIFETIME_MS) return;
    await this.measure().catch(() => {
      // Redis does not answer: the length that was known last stands until the next look.
    });
  }

  /** Jobs that arrive while one `addBulk` is under way share the next. */
  async #fly(): Promise<void> {
    // Lets the neighbours of the same commit come along.
    await Promise.resolve();
    while (this.#pending.length > 0) {
      const batch = this.#pending.splice(0, BATCH);
      this.#inFlight = batch.length;
      try {
        assertReady(this.#redis);
        await this.#queue.addBulk(
          batch.map(({ id, name, payload, generation, priority, groupKey, requestId }) => ({
            name,
            data: { id, generation, payload, requestId, ...(groupKey !== null && { groupKey }) },
            // BullMQ's 0 is none, and goes before all others, as ours does.
            opts: { jobId: dispatchId({ id, generation }), priority },
          })),
        );
      } catch (error) {
        await this.#giveBack(batch, error);
      }
      this.#inFlight = 0;
      await this.#refresh();
    }
  }
}

/** @param redis the connection of the queues */
export function createDispatcher(db: Database, queues: Queues, redis: Redis, log: Log): Dispatcher {
  const giveBack = async (jobs: DispatchedJob[], error: unknown): Promise<void> => {
    log.warn(
      { err: error, jobs: jobs.length },
      'jobs could not be handed to Redis, the relay will',
    );
    try {
      await returnJobs(db, jobs);
    } catch (returnError) {
      // The rows are there all the same, marked as dispatched: the sweep finds that Redis does not know them.
      log.warn({ err: returnError, jobs: jobs.length }, 'jobs are left to the sweep');
    }
  };
  const lanes = new Map(
    Object.values(queues).map((queue) => [queue.name, new Lane(queue, redis, giveBack)]),
  );
  const laneOf = (queue: string): Lane => {
    const lane = lanes.get(queue);
    if (lane === undefined) throw new Error(`there is no queue ${queue}`);
    return lane;
  };
  return {
    accepts: (queue) => laneOf(queue).accepts(),
    dispatch: (jobs) => {
      for (const job of jobs) laneOf(job.queue).push(job);
    },
    drain: async () => {
      await Promise.all([...lanes.values()].map((lane) => lane.settled()));
    },
    room: async (queue) => Math.max(0, WINDOW - (await laneOf(queue).measure())),
  };
}
