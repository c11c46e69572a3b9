import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { lockEventLog } from '@gatehouse/db/event-log';
import { insertEndpoint } from '@gatehouse/db/webhook-endpoints';
import { newId } from '@gatehouse/domain/id';
import { endpointView } from '@gatehouse/domain/webhook-endpoint-view';
import { WebhookEndpointLimit } from '../../errors.ts';
import { idempotencyHeader, problems } from '../../schemas.ts';
import { recordEndpointAct } from './audit.ts';
import { assertActive, occasionOf } from './locked-endpoint.ts';
import { NewWebhookEndpoint, WebhookEndpointWithSecret } from './schemas.ts';

export const create: FastifyPluginAsyncTypebox = async (app) => {
  app.post(
    '/v1/webhook-endpoints',
    {
      config: { access: 'webhooks:manage', idempotency: 'sealed' },
      schema: {
        tags: ['Webhooks'],
        summary:
          'Have events sent to a URL. The answer shows the secret that they are signed with.',
        description: 'It is told what happens from now on; a replay gives it what happened before.',
        headers: idempotencyHeader(false),
        body: NewWebhookEndpoint,
        response: { 201: WebhookEndpointWithSecret, ...problems(401, 403, 409, 413, 415, 422) },
      },
    },
    (request, reply) => {
      const { url, eventTypes, description = null, rateLimitPerSecond = null } = request.body;
      const { maxConcurrency, ordered } = request.body;
      const settings = { description, rateLimitPerSecond, maxConcurrency, ordered };
      app.onceAfter(
        request,
        reply,
        () => app.webhooks.allowedUrl(url),
        async (tx, allowedUrl) => {
          const lastSeq = await lockEventLog(tx);
          await assertActive(tx, request);
          const id = newId();
          const { secret, sealed } = app.webhooks.newSecret(id);
          const endpoint = await insertEndpoint(
            tx,
            {
              id,
              accountId: request.principal.accountId,
              ...settings,
              url: allowedUrl,
              eventTypes: [...new Set(eventTypes)],
              sealedSecret: sealed,
            },
            lastSeq,
            occasionOf(request),
          );
          if (endpoint === null) throw new WebhookEndpointLimit();
          await recordEndpointAct(tx, request, endpoint, 'webhook_endpoint.created', {
            eventTypes: endpoint.eventTypes.join(' '),
          });
          return {
            status: 201,
            body: { ...endpointView(endpoint), secret },
            location: `/v1/webhook-endpoints/${id}`,
          };
        },
      );
    },
  );
};
