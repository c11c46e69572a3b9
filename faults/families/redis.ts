import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import type { Fault } from '../fault.ts';
import type { FaultyStack } from '../faulty-stack.ts';
import { freeze, send } from '../signals.ts';

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
} as const satisfies Record<string, Fault>;

/** Waits for a Redis that is just being started. */
export async function flush(stack: FaultyStack): Promise<void> {
  const redis = new Redis(stack.now().redisUrl, { maxRetriesPerRequest: 50 });
  // Without a listener it prints each; the command itself fails when it has been tried often enough.
  redis.on('error', () => undefined);
  try {
    await redis.flushall();
  } finally {
    redis.disconnect();
  }
}

function redisPid(stack: FaultyStack): number {
  const { redisPid: pid } = stack.now();
  if (pid === null) throw new TypeError('the stack embeds no Redis');
  return pid;
}
