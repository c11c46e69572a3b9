import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { rotateSecret } from '@gatehouse/db/webhook-endpoint-changes';
import { endpointView } from '@gatehouse/domain/webhook-endpoint-view';
import Type from 'typebox';
import { IdParams, IfMatch, idempotencyHeader, problems } from '../../schemas.ts';
import { recordEndpointAct } from './audit.ts';
import { occasionOf, takeEndpoint } from './locked-endpoint.ts';
import { SecretRotation, WebhookEndpointWithSecret } from './schemas.ts';
import { endpointTag } from './tags.ts';

export const rotate: FastifyPluginAsyncTypebox = async (app) => {
  app.post(
    '/v1/webhook-endpoints/:id/rotate-secret',
    {
      config: { access: 'webhooks:manage', idempotency: 'sealed', bodyIsOptional: true },
      schema: {
        tags: ['Webhooks'],
        summary:
          'Give a webhook endpoint a new secret. The answer is the only place where it is shown.',
        description:
          'Requests are signed with both until the overlap is over; one that an earlier rotation left ends.',
        headers: Type.Intersect([idempotencyHeader(false), IfMatch]),
        params: IdParams,
        body: SecretRotation,
        response: {
          200: WebhookEndpointWithSecret,
          ...problems(401, 403, 404, 412, 413, 415),
        },
      },
    },
    (request, reply) =>
      app.once(request, reply, async (tx) => {
        const { overlapSeconds } = request.body;
        const endpoint = await takeEndpoint(tx, request);
        const { secret, sealed } = app.webhooks.newSecret(endpoint.id);
        const rotation = { sealed, overlapSeconds };
        const rotated = await rotateSecret(tx, endpoint, rotation, occasionOf(request));
        await recordEndpointAct(tx, request, rotated, 'webhook_endpoint.secret_rotated', {
          overlapSeconds,
        });
        const body = { ...endpointView(rotated), secret };
        return { status: 200, body, etag: endpointTag(rotated) };
      }),
  );
};
