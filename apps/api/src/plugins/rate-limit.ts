import rateLimit from '@fastify/rate-limit';
import fp from 'fastify-plugin';
import type { Config } from '../config.ts';
import { RateLimited } from '../errors.ts';

export interface RateLimitOptions {
  /** Requests of an account in a window; 0 is no limit. */
  max: number;
  windowSeconds: number;
}

/** The tighter budget of routes that try passwords, for `config.rateLimit`: one for all of them, per address. */
export function authRateLimit(config: Config) {
  return (
    config.RATE_LIMIT_AUTH_MAX > 0 && {
      max: config.RATE_LIMIT_AUTH_MAX,
      timeWindow: config.RATE_LIMIT_WINDOW_SECONDS * 1_000,
      groupId: 'auth',
    }
  );
}

const LIMIT = 'x-ratelimit-limit';
const REMAINING = 'x-ratelimit-remaining';
const RESET = 'x-ratelimit-reset';

/**
 * Counts requests in Redis, for all replicas together: by account when it is known, by address before. Routes
 * override it with `config.rateLimit`.
 *
 * The library speaks the older headers; a hook puts them in the words of the current IETF draft
 * (draft-ietf-httpapi-ratelimit-headers).
 */
export default fp<RateLimitOptions>(
  async (app, { max, windowSeconds }) => {
    if (max === 0) return;
    await app.register(rateLimit, {
      global: true,
      redis: app.redis,
      nameSpace: 'gatehouse:rate:',
      // Redis away: rather unlimited than unavailable.
      skipOnError: true,
      max,
      timeWindow: windowSeconds * 1_000,
      keyGenerator: (request) => request.authenticated?.accountId ?? request.ip,
      // Health checks, docs and the pages of operators are not counted.
      allowList: ({ url, routeOptions }) =>
        !url.startsWith('/v1/') && !routeOptions.config.rateLimit,
      errorResponseBuilder: () => new RateLimited(),
    });
    app.addHook('onSend', async (request, reply) => {
      const limit = reply.getHeader(LIMIT);
      const remaining = reply.getHeader(REMAINING);
      const reset = reply.getHeader(RESET);
      if (limit === undefined) return;
      for (const name of [LIMIT, REMAINING, RESET]) reply.removeHeader(name);
      const { timeWindow } = request.routeOptions.config.rateLimit || {};
      const window = typeof timeWindow === 'number' ? timeWindow / 1_000 : windowSeconds;
      reply.header('ratelimit-policy', `"default";q=${limit};w=${window}`);
      reply.header('ratelimit', `"default";r=${remaining};t=${reset}`);
    });
  },
  { name: 'rate-limit', dependencies: ['redis', 'authentication'] },
);
