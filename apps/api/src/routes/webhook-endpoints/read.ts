import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { findEndpoint, listEndpoints } from '@gatehouse/db/webhook-endpoints';
import { endpointView } from '@gatehouse/domain/webhook-endpoint-view';
import { NotFound } from '../../errors.ts';
import { IdParams, PageOf, pageQuery, problems, Query } from '../../schemas.ts';
import { WebhookEndpoint } from './schemas.ts';
import { endpointTag } from './tags.ts';

export const read: FastifyPluginAsyncTypebox = async (app) => {
  app.get(
    '/v1/webhook-endpoints',
    {
      config: { access: 'webhooks:manage' },
      schema: {
        tags: ['Webhooks'],
        summary: 'List webhook endpoints, newest first',
        querystring: Query(pageQuery),
        response: { 200: PageOf(WebhookEndpoint), ...problems(401, 403) },
      },
    },
    async ({ principal, query }) => {
      const page = await listEndpoints(app.db, principal.accountId, query);
      return { ...page, data: page.data.map(endpointView) };
    },
  );

  app.get(
    '/v1/webhook-endpoints/:id',
    {
      config: { access: 'webhooks:manage', etag: true },
      schema: {
        tags: ['Webhooks'],
        summary: 'Read a webhook endpoint',
        params: IdParams,
        response: { 200: WebhookEndpoint, ...problems(401, 403, 404) },
      },
    },
    async ({ principal, params }, reply) => {
      const endpoint = await findEndpoint(app.db, principal.accountId, params.id);
      if (endpoint === null) throw new NotFound('webhook endpoint');
      reply.header('etag', endpointTag(endpoint));
      return endpointView(endpoint);
    },
  );
};
