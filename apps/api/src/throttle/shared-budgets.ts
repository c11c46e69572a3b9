import { isReady } from '@gatehouse/jobs/connection';
import type { FastifyBaseLogger } from 'fastify';
import type { Redis, Result } from 'ioredis';
import type { Budgets } from './budgets.ts';
import { createMemoryBudgets } from './memory-budgets.ts';

declare module 'ioredis' {
  interface RedisCommander<Context> {
    takeOfBudget(key: string, windowMs: number, max: number): Result<[number, number], Context>;
    giveBackToBudget(key: string): Result<number, Context>;
  }
}

/**
 * A key that has lost its expiry, or that is of a longer window than the one that is set now, begins anew: nobody is
 * to be kept out for ever.
 */
const TAKE = `
local left = redis.call('PTTL', KEYS[1])
local window = tonumber(ARGV[1])
if left <= 0 or left > window then
  redis.call('SET', KEYS[1], 1, 'PX', window)
  return {1, window}
end
local max = tonumber(ARGV[2])
if tonumber(redis.call('GET', KEYS[1])) >= max then return {max + 1, left} end
return {redis.call('INCR', KEYS[1]), left}`;

const GIVE_BACK = `
local used = tonumber(redis.call('GET', KEYS[1]) or 0)
return used > 0 and redis.call('DECR', KEYS[1]) or 0`;

const PREFIX = 'gatehouse:budget:';

/** Milliseconds to wait for Redis: a hundred times what it takes, and little enough for one request a second to bear. */
const PATIENCE_MS = 250;

/** Milliseconds for which a Redis that failed is left alone, so that one that hangs costs one request, not all. */
const PAUSE_MS = 1_000;

/**
 * Budgets that all gateways share, in Redis. While it is away or does not answer, each gateway has budgets of its own,
 * which have counted all along: nobody gets another one, or none to keep to, by Redis failing.
 */
export function createSharedBudgets(redis: Redis, log: Pick<FastifyBaseLogger, 'warn'>): Budgets {
  redis.defineCommand('takeOfBudget', { numberOfKeys: 1, lua: TAKE });
  redis.defineCommand('giveBackToBudget', { numberOfKeys: 1, lua: GIVE_BACK });
  const memory = createMemoryBudgets();
  /** 0 when it answered the last time. */
  let askAgainAt = 0;

  const mayAsk = (): boolean => {
    if (!isReady(redis)) return false;
    if (askAgainAt === 0) return true;
    const now = performance.now();
    if (now < askAgainAt) return false;
    // This one finds out for all.
    askAgainAt = now + PAUSE_MS;
    return true;
  };
  /** What Redis says; null when it does not. */
  const ask = async <T>(command: () => Promise<T>): Promise<T | null> => {
    if (!mayAsk()) return null;
    try {
      const answer = await within(command(), PATIENCE_MS);
      askAgainAt = 0;
      return answer;
    } catch (error) {
      if (askAgainAt === 0) log.warn({ err: error }, 'counting in memory: Redis does not count');
      askAgainAt = performance.now() + PAUSE_MS;
      return null;
    }
  };

  return {
    async take(name, limit) {
      const { windowMs, max } = limit;
      const own = memory.take(name, limit);
      const shared = await ask(() => redis.takeOfBudget(PREFIX + name, windowMs, max));
      if (shared === null) return own;
      const [used, leftMs] = shared;
      return { isTaken: used <= max, used, leftMs };
    },
    async giveBack(name) {
      memory.giveBack(name);
      await ask(() => redis.giveBackToBudget(PREFIX + name));
    },
  };
}

async function within<T>(answer: Promise<T>, patienceMs: number): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  // A turn of the loop later: when it was this process that stood still, the answer is here and not read yet.
  const timer = setTimeout(
    () => setImmediate(() => reject(new Error(`no answer in ${patienceMs} ms`))),
    patienceMs,
  );
  return Promise.race([answer, late]).finally(() => clearTimeout(timer));
}
