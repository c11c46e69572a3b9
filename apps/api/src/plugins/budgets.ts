import fp from 'fastify-plugin';
import type { Budgets } from '../throttle/budgets.ts';
import { createSharedBudgets } from '../throttle/shared-budgets.ts';

declare module 'fastify' {
  interface FastifyInstance {
    /** What is counted over all gateways. */
    budgets: Budgets;
  }
}

export default fp(
  async (app) => {
    app.decorate('budgets', createSharedBudgets(app.redis, app.log));
  },
  { name: 'budgets', dependencies: ['redis'] },
);
