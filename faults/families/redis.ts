import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { pause } from '../client.ts';
import type { Fault } from '../fault.ts';
import type { FaultyStack } from '../faulty-stack.ts';
import { freeze, send } from '../signals.ts';

const FULL_MS = 10_000;

/** What befalls Redis, which may lose everything. */
export const REDIS_FAULTS = {
  'flush-redis': {
    describe: 'FLUSHALL',
    inject: (stack) => flush(stack),
  },
  'kill-redis': {
    describe: 'kill -9 Redis, which keeps what its append-only file has',
    async inject(stack) {
      send(redisPid(stack), 'SIGKILL');
    },
  },
  'empty-redis': {
    describe: 'kill -9 Redis, and its data directory is gone',
    async inject(stack) {
      // Frozen meanwhile, so that it writes nothing between the two; before the kill, so that the successor finds
      // nothing to load.
      const pid = redisPid(stack);
      send(pid, 'SIGSTOP');
      rmSync(join(stack.dir, 'redis', 'appendonlydir'), { recursive: true, force: true });
      send(pid, 'SIGKILL');
    },
  },
  'freeze-redis-3s': {
    describe: 'Redis frozen for 3 s',
    inject: (stack, _random, signal) => freeze([redisPid(stack)], 3_000, signal),
  },
  'freeze-redis-10s': {
    describe: 'Redis frozen for 10 s',
    inject: (stack, _random, signal) => freeze([redisPid(stack)], 10_000, signal),
  },
  'freeze-redis-60s': {
    describe: 'Redis frozen for 60 s',
    isLong: true,
    inject: (stack, _random, signal) => freeze([redisPid(stack)], 60_000, signal),
  },
  'full-redis': {
    describe: 'Redis at its maxmemory for 10 s: it refuses writes and answers reads',
    inject: (stack, _random, signal) =>
      withRedis(stack, async (redis) => {
        const used = /^used_memory:(\d+)/m.exec(await redis.info('memory'))?.[1];
        if (used === undefined) throw new TypeError('Redis does not say what it uses');
        try {
          await redis.config('SET', 'maxmemory', used);
          await pause(FULL_MS, signal);
        } finally {
          await redis.config('SET', 'maxmemory', '0');
        }
      }),
  },
} as const satisfies Record<string, Fault>;

export function flush(stack: FaultyStack): Promise<void> {
  return withRedis(stack, async (redis) => {
    await redis.flushall();
  });
}

/** Waits for a Redis that is just being started. */
async function withRedis(stack: FaultyStack, use: (redis: Redis) => Promise<void>): Promise<void> {
  const redis = new Redis(stack.now().redisUrl, { maxRetriesPerRequest: 50 });
  // Without a listener it prints each; the command itself fails when it has been tried often enough.
  redis.on('error', () => undefined);
  try {
    await use(redis);
  } finally {
    redis.disconnect();
  }
}

export function redisPid(stack: FaultyStack): number {
  const { redisPid: pid } = stack.now();
  if (pid === null) throw new TypeError('the stack embeds no Redis');
  return pid;
}
