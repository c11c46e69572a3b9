import type { Redis, Result } from 'ioredis';
import { LRUCache } from 'lru-cache';
import type { Answer } from './answer.ts';

declare module 'ioredis' {
  interface RedisCommander<Context> {
    claimKey(
      key: string,
      fingerprint: string,
      token: string,
      leaseMs: number,
    ): Result<string[], Context>;
    publishAnswer(
      key: string,
      token: string,
      fingerprint: string,
      answer: string,
      lifetimeMs: number,
    ): Result<number, Context>;
    releaseClaim(key: string, token: string): Result<number, Context>;
  }
}

/**
 * Milliseconds for which a claim stands without an answer: longer than a transaction may take, so that only the
 * claim of a process that died runs out, and short enough that its client need not wait long.
 */
const LEASE_MS = 20_000;

/**
 * A hash a key: `f` fingerprint, `t` fencing token, `a` answer once there is one.
 * The same token claims again: an ioredis retry after a lost reply must not meet its own claim.
 */
const CLAIM = `
local known = redis.call('HMGET', KEYS[1], 'f', 't', 'a')
if not known[1] then
  redis.call('HSET', KEYS[1], 'f', ARGV[1], 't', ARGV[2])
  redis.call('PEXPIRE', KEYS[1], ARGV[3])
  return {'claimed'}
end
local isSame = known[1] == ARGV[1]
if known[3] then return isSame and {'done', known[3]} or {'reused'} end
if not isSame then return {'contested'} end
return {known[2] == ARGV[2] and 'claimed' or 'running'}`;

/** A holder whose lease ran out and was taken over has another token here: it must not overwrite its successor. */
const PUBLISH = `
local token = redis.call('HGET', KEYS[1], 't')
if token and token ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[1], 'f', ARGV[2], 't', ARGV[1], 'a', ARGV[3])
redis.call('PEXPIRE', KEYS[1], ARGV[4])
return 1`;

const RELEASE = `
local known = redis.call('HMGET', KEYS[1], 't', 'a')
if known[1] ~= ARGV[1] or known[2] then return 0 end
return redis.call('DEL', KEYS[1])`;

export interface KeyedRequest {
  accountId: string;
  key: string;
  fingerprint: Buffer<ArrayBuffer>;
}

export type Claim =
  | { state: 'claimed' }
  /** Another attempt holds the key. It may have committed, or be dead. */
  | { state: 'running' }
  /** Another request holds the key and has no answer yet. */
  | { state: 'contested' }
  | { state: 'done'; answer: Answer }
  /** Another request has its answer under the key. */
  | { state: 'reused' };

/** The fast tier of idempotency: who runs a key, and the answers of the last day. Every method throws without Redis. */
export interface Claims {
  /** May have claimed the key also when it throws: the reply can get lost. */
  claim(request: KeyedRequest, token: string): Promise<Claim>;
  /** Makes the answer known for so long. Does nothing when another has taken the claim over. */
  publish(request: KeyedRequest, token: string, answer: Answer, lifetimeMs: number): Promise<void>;
  /** Frees the key for its next attempt. When it throws, it is tried again as soon as Redis is back. */
  release(request: KeyedRequest, token: string): Promise<void>;
}

export function createClaims(redis: Redis): Claims {
  redis.defineCommand('claimKey', { numberOfKeys: 1, lua: CLAIM });
  redis.defineCommand('publishAnswer', { numberOfKeys: 1, lua: PUBLISH });
  redis.defineCommand('releaseClaim', { numberOfKeys: 1, lua: RELEASE });
  /** By token. A lease that has run out need not be freed any more. */
  const unreleased = new LRUCache<string, string>({ max: 10_000, ttl: LEASE_MS });
  const free = async (key: string, token: string): Promise<void> => {
    await redis.releaseClaim(key, token);
    unreleased.delete(token);
  };
  redis.on('ready', () => {
    for (const [token, key] of unreleased.entries()) {
      // Kept when it fails: there will be another connection, or the lease runs out.
      free(key, token).catch(() => undefined);
    }
  });
  const keyOf = ({ accountId, key }: KeyedRequest): string =>
    `gatehouse:idempotency:${accountId}:${key}`;
  return {
    async claim(request, token) {
      const fingerprint = request.fingerprint.toString('base64');
      const [state, answer = ''] = await redis.claimKey(
        keyOf(request),
        fingerprint,
        token,
        LEASE_MS,
      );
      switch (state) {
        case 'claimed':
        case 'running':
        case 'contested':
        case 'reused':
          return { state };
        case 'done':
          return { state, answer: JSON.parse(answer) as Answer };
        default:
          throw new Error(`the claim script answered ${state}`);
      }
    },
    async publish(request, token, answer, lifetimeMs) {
      const fingerprint = request.fingerprint.toString('base64');
      await redis.publishAnswer(
        keyOf(request),
        token,
        fingerprint,
        JSON.stringify(answer),
        lifetimeMs,
      );
    },
    async release(request, token) {
      unreleased.set(token, keyOf(request));
      await free(keyOf(request), token);
    },
  };
}
