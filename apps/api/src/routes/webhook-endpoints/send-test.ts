import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { testEndpoint } from '@gatehouse/db/webhook-endpoint-events';
import Type from 'typebox';
import { WebhookEndpointDisabled } from '../../errors.ts';
import { IdParams, IfMatch, idempotencyHeader, problems } from '../../schemas.ts';
import { occasionOf, takeEndpoint } from './locked-endpoint.ts';
import { TestSent } from './schemas.ts';

export const sendTest: FastifyPluginAsyncTypebox = async (app) => {
  app.post(
    '/v1/webhook-endpoints/:id/test',
    {
      config: { access: 'webhooks:manage' },
      schema: {
        tags: ['Webhooks'],
        summary: 'Send a webhook endpoint an event to try it with',
        description:
          'A `webhook_endpoint.test`, told to this endpoint alone, whatever it listens to.',
        headers: Type.Intersect([idempotencyHeader(false), IfMatch]),
        params: IdParams,
        response: { 202: TestSent, ...problems(401, 403, 404, 409, 412, 413, 415) },
      },
    },
    (request, reply) =>
      app.once(request, reply, async (tx) => {
        const endpoint = await takeEndpoint(tx, request);
        if (endpoint.disabledReason !== null) throw new WebhookEndpointDisabled();
        const eventId = await testEndpoint(tx, endpoint, occasionOf(request));
        return { status: 202, body: { eventId } };
      }),
  );
};
