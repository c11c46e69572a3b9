import type { FastifyRateLimitStore, FastifyRateLimitStoreCtor } from '@fastify/rate-limit';
import type { Budgets } from './budgets.ts';

/**
 * Has @fastify/rate-limit count in our budgets. Its keys are their names: a limit of its own, of a route or of some
 * routes together, needs a `keyGenerator` of its own.
 */
export function rateLimitStore(budgets: Budgets): FastifyRateLimitStoreCtor {
  return class implements FastifyRateLimitStore {
    incr: FastifyRateLimitStore['incr'] = (key, callback, windowMs, max) => {
      budgets.take(key, { windowMs, max }).then(
        ({ used, leftMs }) => callback(null, { current: used, ttl: leftMs }),
        (error) => callback(error),
      );
    };

    child(): FastifyRateLimitStore {
      return this;
    }
  };
}
