import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { findDelivery, listDeliveries } from '@gatehouse/db/webhook-delivery-reads';
import { knowsEndpoint } from '@gatehouse/db/webhook-endpoints';
import { NotFound } from '../../errors.ts';
import { IdParams, PageOf, problems } from '../../schemas.ts';
import { retry } from './retry.ts';
import { ListedWebhookDelivery, WebhookDelivery, WebhookDeliveryQuery } from './schemas.ts';

const plugin: FastifyPluginAsyncTypebox = async (app) => {
  app.get(
    '/v1/webhook-endpoints/:id/deliveries',
    {
      config: { access: 'webhooks:manage' },
      schema: {
        tags: ['Webhooks'],
        summary: 'List the deliveries to an endpoint, newest first',
        description: 'Also to one that was deleted.',
        params: IdParams,
        querystring: WebhookDeliveryQuery,
        response: { 200: PageOf(ListedWebhookDelivery), ...problems(401, 403, 404) },
      },
    },
    async ({ principal: { accountId }, params: { id }, query }) => {
      if (!(await knowsEndpoint(app.db, accountId, id))) throw new NotFound('webhook endpoint');
      return listDeliveries(app.db, accountId, { ...query, endpointId: id }, query);
    },
  );

  app.get(
    '/v1/webhook-deliveries',
    {
      config: { access: 'webhooks:manage' },
      schema: {
        tags: ['Webhooks'],
        summary: 'List the deliveries to all endpoints, newest first',
        querystring: WebhookDeliveryQuery,
        response: { 200: PageOf(ListedWebhookDelivery), ...problems(401, 403) },
      },
    },
    ({ principal, query }) => listDeliveries(app.db, principal.accountId, query, query),
  );

  app.get(
    '/v1/webhook-deliveries/:id',
    {
      config: { access: 'webhooks:manage', etag: true },
      schema: {
        tags: ['Webhooks'],
        summary: 'Read a delivery, with its last hundred attempts and what was answered',
        params: IdParams,
        response: { 200: WebhookDelivery, ...problems(401, 403, 404) },
      },
    },
    async ({ principal, params }) => {
      const delivery = await findDelivery(app.db, principal.accountId, params.id);
      if (delivery === null) throw new NotFound('webhook delivery');
      return delivery;
    },
  );

  await app.register(retry);
};

export default plugin;
