import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { lockEventLog } from '@gatehouse/db/event-log';
import { deleteEndpoint } from '@gatehouse/db/webhook-endpoint-removal';
import { hasPendingDeliveries } from '@gatehouse/db/webhook-endpoint-states';
import { deliverWebhooks } from '@gatehouse/jobs/definitions/deliver-webhooks';
import { replayWebhooks } from '@gatehouse/jobs/definitions/replay-webhooks';
import Type from 'typebox';
import { IdParams, IfMatch, problems } from '../../schemas.ts';
import { recordEndpointAct } from './audit.ts';
import { occasionOf, takeEndpoint } from './locked-endpoint.ts';

export const remove: FastifyPluginAsyncTypebox = async (app) => {
  app.delete(
    '/v1/webhook-endpoints/:id',
    {
      config: { access: 'webhooks:manage' },
      schema: {
        tags: ['Webhooks'],
        summary: 'Delete a webhook endpoint',
        description:
          'What was not sent yet is canceled. What was sent can still be read under `/v1/webhook-deliveries`.',
        headers: IfMatch,
        params: IdParams,
        response: { 204: Type.Null(), ...problems(401, 403, 404, 412) },
      },
    },
    async (request, reply) => {
      await app.transaction(async (tx) => {
        const lastSeq = await lockEventLog(tx);
        const endpoint = await takeEndpoint(tx, request);
        // Its job comes before those of its replays.
        if (await hasPendingDeliveries(tx, endpoint.id)) {
          const options = { requestId: request.id, revives: true };
          await app.jobs.enqueue(tx, deliverWebhooks, { endpointId: endpoint.id }, options);
        }
        await deleteEndpoint(tx, endpoint, replayWebhooks.name, lastSeq, occasionOf(request));
        await recordEndpointAct(tx, request, endpoint, 'webhook_endpoint.deleted');
      });
      return reply.code(204).send(null);
    },
  );
};
