import { join } from 'node:path';
import { searchPath } from '@gatehouse/local/config';
import type { Guard } from '@gatehouse/local/guard';
import { freePort } from '@gatehouse/local/ports';
import { type Redis as RedisServer, startRedis } from '@gatehouse/local/redis';
import { Redis } from 'ioredis';
import { inject } from 'vitest';
import './provided.ts';

const DATABASES = 1024;
/** In database 0, which no test is given. */
const COUNTER = 'test-databases';

export interface TestRedis {
  /** Of a numbered database that only this test uses. */
  url: string;
  /** Empties it. */
  drop(): Promise<void>;
}

/** Starts a Redis that keeps nothing on disk. */
export async function startTestRedis(dir: string, guard?: Guard): Promise<RedisServer> {
  return startRedis({
    dir: join(dir, 'redis'),
    port: await freePort(),
    logFile: join(dir, 'redis.log'),
    appendOnly: false,
    databases: DATABASES,
    searchPath: searchPath(),
    guard,
  });
}

/**
 * An empty keyspace for one test. A test that wipes Redis uses FLUSHDB: FLUSHALL would hit its neighbours, as would
 * killing the server; for that, start one with {@link startTestRedis}.
 */
export async function testRedis(): Promise<TestRedis> {
  const server = inject('redisUrl');
  const count = await run(server, (redis) => redis.incr(COUNTER));
  const url = `${server}/${1 + (count % (DATABASES - 1))}`;
  const drop = async () => {
    await run(url, (redis) => redis.flushdb());
  };
  await drop();
  return { url, drop };
}

async function run<T>(url: string, command: (redis: Redis) => Promise<T>): Promise<T> {
  const redis = new Redis(url);
  try {
    return await command(redis);
  } finally {
    redis.disconnect();
  }
}
