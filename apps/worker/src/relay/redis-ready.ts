import type { Redis } from 'ioredis';

/** @throws when Redis is not connected: nothing is to be taken from Postgres, nor called lost, before it is. */
export function assertReady(redis: Redis): void {
  if (redis.status !== 'ready') throw new Error(`Redis is not connected (${redis.status})`);
}
