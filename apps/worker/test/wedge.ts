import { Worker } from 'bullmq';
import { onTestFinished } from 'vitest';

/** The part of BullMQ's loop that goes for a job. It is private, but the loop finds it on the prototype. */
const FETCH = '_getNextJob';

export interface WedgeOptions {
  /** How many BullMQ workers of the queue hang, the first ones; all when left out. */
  workers?: number;
  /** How many jobs each of them takes before. None when left out. */
  jobs?: number;
}

export interface Wedge {
  /** The BullMQ workers of the queue that have gone for a job. */
  readonly workers: ReadonlySet<Worker>;
  /** Lets them all go on. */
  release(): void;
}

/** Has BullMQ workers of this process go for a job and never come back. Ends with the test. */
export function wedge(
  queue: string,
  { workers = Number.POSITIVE_INFINITY, jobs = 0 }: WedgeOptions = {},
): Wedge {
  const fetched = new Map<Worker, number>();
  const released = Promise.withResolvers<void>();
  const fetch: unknown = Reflect.get(Worker.prototype, FETCH);
  if (typeof fetch !== 'function') throw new Error(`BullMQ's Worker has no ${FETCH} any more`);
  const hangs = new Set<Worker>();
  const replacement = async function (this: Worker, ...args: unknown[]): Promise<unknown> {
    if (this.name !== queue) return Reflect.apply(fetch, this, args);
    const count = fetched.get(this) ?? 0;
    fetched.set(this, count);
    if (fetched.size <= workers) hangs.add(this);
    if (hangs.has(this) && count >= jobs) await released.promise;
    const job: unknown = await Reflect.apply(fetch, this, args);
    if (job !== undefined) fetched.set(this, count + 1);
    return job;
  };
  Reflect.set(Worker.prototype, FETCH, replacement);
  onTestFinished(() => {
    released.resolve();
    Reflect.set(Worker.prototype, FETCH, fetch);
  });
  return {
    get workers() {
      return new Set(fetched.keys());
    },
    release: released.resolve,
  };
}
