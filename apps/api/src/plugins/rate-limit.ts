import rateLimit, { normalizeIP } from '@fastify/rate-limit';
import fp from 'fastify-plugin';
import { RateLimited } from '../errors.ts';
import { rateLimitStore } from '../throttle/rate-limit-store.ts';

declare module 'fastify' {
  interface FastifyInstance {
    /**
     * An `onRequest` hook for routes that try passwords: one tighter budget for all of them together, per address.
     * Such a route sets `config.rateLimit` to false, to be counted here only.
     */
    limitAttempts(request: FastifyRequest, reply: FastifyReply): Promise<void>;
  }
}

export interface RateLimitOptions {
  /** Requests of an account in a window; 0 is no limit. */
  max: number;
  /** Attempts to log in, register and the like of an address in a window; 0 is no limit. */
  attemptsMax: number;
  windowSeconds: number;
}

const LIMIT = 'x-ratelimit-limit';
const REMAINING = 'x-ratelimit-remaining';
const RESET = 'x-ratelimit-reset';

/**
 * Counts requests, for all replicas together: by account when it is known, by address before, and so also of who tries
 * credentials that are not good.
 *
 * The library speaks the older headers; a hook puts them in the words of the current IETF draft
 * (draft-ietf-httpapi-ratelimit-headers).
 */
export default fp<RateLimitOptions>(
  async (app, { max, attemptsMax, windowSeconds }) => {
    // Health checks, docs and the pages of operators are not counted. Said before the library's own hook looks.
    app.addHook('onRoute', (route) => {
      if (!route.url.startsWith('/v1/')) route.config = { ...route.config, rateLimit: false };
    });
    await app.register(rateLimit, {
      global: max > 0,
      store: rateLimitStore(app.budgets),
      max,
      timeWindow: windowSeconds * 1_000,
      // Somebody with IPv6 has a whole /64 of addresses: that counts as one.
      keyGenerator: ({ authenticated, ip }) =>
        authenticated === null
          ? `requests:address:${normalizeIP(ip)}`
          : `requests:account:${authenticated.accountId}`,
      errorResponseBuilder: () => new RateLimited(),
    });
    const limitAttempts = app.rateLimit({
      max: attemptsMax,
      keyGenerator: ({ ip }) => `attempts:address:${normalizeIP(ip)}`,
    });
    app.decorate('limitAttempts', async (request, reply) => {
      if (attemptsMax > 0) await limitAttempts.call(app, request, reply);
    });
    app.addHook('onSend', async (_request, reply) => {
      const limit = reply.getHeader(LIMIT);
      const remaining = reply.getHeader(REMAINING);
      const reset = reply.getHeader(RESET);
      if (limit === undefined) return;
      for (const name of [LIMIT, REMAINING, RESET]) reply.removeHeader(name);
      reply.header('ratelimit-policy', `"default";q=${limit};w=${windowSeconds}`);
      reply.header('ratelimit', `"default";r=${remaining};t=${reset}`);
    });
  },
  { name: 'rate-limit', dependencies: ['budgets', 'authentication'] },
);
