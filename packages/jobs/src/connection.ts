import { Redis, type RedisOptions } from 'ioredis';

const KEEP_ALIVE_MS = 10_000;

/** Waits a little longer each time, up to two seconds, for ever. */
const retryStrategy = (attempt: number): number => Math.min(50 * 2 ** attempt, 2_000);

/**
 * For a process that must answer whether or not Redis does: a command fails at once when there is no connection,
 * and within two seconds when there is no answer.
 */
const PRODUCER = {
  maxRetriesPerRequest: 1,
  enableOfflineQueue: false,
  commandTimeout: 2_000,
  connectTimeout: 2_000,
  // A command that has failed for want of an answer says nothing of its connection: without this, one whose network
  // has gone away without a word would be kept, and fail every command, for a quarter of an hour.
  socketTimeout: 4_000,
  keepAlive: KEEP_ALIVE_MS,
  enableAutoPipelining: true,
  retryStrategy,
} satisfies RedisOptions;

/** For BullMQ's workers, which wait for Redis as long as it takes (`null` is what BullMQ demands). */
const CONSUMER = {
  maxRetriesPerRequest: null,
  connectTimeout: 2_000,
  // A half-open connection is noticed: BullMQ's blocking reads come back within five seconds.
  socketTimeout: 15_000,
  keepAlive: KEEP_ALIVE_MS,
  retryStrategy,
} satisfies RedisOptions;

type OnError = (error: Error) => void;

/** A connection for requests and dispatches. Connection errors go to `onError`; it reconnects by itself. */
export function producerConnection(url: string, onError: OnError): Redis {
  return new Redis(url, PRODUCER).on('error', onError);
}

/** A connection for BullMQ workers. Connection errors go to `onError`; it reconnects by itself. */
export function consumerConnection(url: string, onError: OnError): Redis {
  return new Redis(url, CONSUMER).on('error', onError);
}

/** Waits until the connection is up, but no longer than `deadlineMs`: a process also starts without Redis. */
export async function warmUp(redis: Redis, deadlineMs: number): Promise<void> {
  if (isReady(redis)) return;
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, deadlineMs);
  redis.once('ready', resolve);
  await promise;
  clearTimeout(timer);
  redis.off('ready', resolve);
}

/** Whether commands are sent now. BullMQ waits for a connection that never was, with all that is asked of it. */
export function isReady(redis: Redis): boolean {
  return redis.status === 'ready';
}

/** @throws when Redis is not connected: nothing is to be taken from Postgres, nor called lost, before it is. */
export function assertReady(redis: Redis): void {
  if (!isReady(redis)) throw new Error(`Redis is not connected (${redis.status})`);
}
