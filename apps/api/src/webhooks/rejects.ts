import { normalizeIP } from '@fastify/rate-limit';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { RateLimited } from '../errors.ts';
import { createMemoryBudgets } from '../throttle/memory-budgets.ts';

const WINDOW_MS = 60_000;

/**
 * The budget for what an address sends that is not signed well. What is signed well is not counted, and is taken when the
 * budget is spent as well: behind one address may be Stripe and whoever wants it shut out.
 */
export interface Rejects {
  /** Whether nothing is left of the sender's budget. */
  isSpent(request: FastifyRequest): boolean;
  /** Counts one. @throws {RateLimited} when nothing was left */
  count(request: FastifyRequest, reply: FastifyReply): void;
}

/** In the memory of this gateway. `max` in a minute; 0 is no limit. */
export function createRejects(max: number): Rejects {
  const budgets = createMemoryBudgets();
  const limit = { max, windowMs: WINDOW_MS };
  return {
    isSpent: ({ ip }) => max > 0 && budgets.spentForMs(normalizeIP(ip), limit) > 0,
    count({ ip }, reply) {
      if (max === 0) return;
      const { isTaken, leftMs } = budgets.take(normalizeIP(ip), limit);
      if (isTaken) return;
      reply.header('retry-after', Math.ceil(leftMs / 1_000));
      throw new RateLimited();
    },
  };
}
