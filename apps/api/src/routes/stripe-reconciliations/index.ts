import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { listReconciliations } from '@gatehouse/db/stripe-reconciliations';
import { PageOf, problems } from '../../schemas.ts';
import { Reconciliation, ReconciliationQuery } from './schemas.ts';

const plugin: FastifyPluginAsyncTypebox = async (app) => {
  app.get(
    '/v1/admin/stripe-reconciliations',
    {
      config: { access: 'operator' },
      schema: {
        tags: ['Deposits'],
        summary: 'List the rounds of looking at Stripe for what its webhooks did not tell',
        querystring: ReconciliationQuery,
        response: { 200: PageOf(Reconciliation), ...problems(401, 403) },
      },
    },
    ({ query }) => listReconciliations(app.db, query),
  );
};

export default plugin;
