import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { findListedDelivery, findTarget } from '@gatehouse/db/webhook-delivery-reads';
import { lockEndpoint } from '@gatehouse/db/webhook-endpoints';
import { endPause, retryDelivery } from '@gatehouse/db/webhook-retries';
import { deliverWebhooks } from '@gatehouse/jobs/definitions/deliver-webhooks';
import { NotFound, WebhookEndpointDisabled } from '../../errors.ts';
import { IdParams, idempotencyHeader, problems } from '../../schemas.ts';
import { ListedWebhookDelivery } from './schemas.ts';

export const retry: FastifyPluginAsyncTypebox = async (app) => {
  app.post(
    '/v1/webhook-deliveries/:id/retry',
    {
      config: { access: 'webhooks:manage' },
      schema: {
        tags: ['Webhooks'],
        summary: 'Have a delivery sent now',
        description:
          'One that has ended, however it did, begins anew with all its attempts; one that waits waits no longer, and a ' +
          'pause of its endpoint ends. The request has the same `webhook-id` as those before. At an endpoint that is ' +
          'disabled nothing is retried, and one that was deleted is not found, though its deliveries can be read.',
        headers: idempotencyHeader(false),
        params: IdParams,
        response: { 202: ListedWebhookDelivery, ...problems(401, 403, 404, 409, 413, 415) },
      },
    },
    (request, reply) =>
      app.once(request, reply, async (tx) => {
        const { accountId } = request.principal;
        const { id } = request.params;
        const endpointId = await findTarget(tx, accountId, id);
        if (endpointId === null) throw new NotFound('webhook delivery');
        const endpoint = await lockEndpoint(tx, accountId, endpointId);
        if (endpoint === null) throw new NotFound('webhook endpoint');
        if (endpoint.disabledReason !== null) throw new WebhookEndpointDisabled();
        await endPause(tx, endpoint);
        // Before the delivery is locked, in the order in which a run does it.
        const options = { requestId: request.id, revives: true };
        await app.jobs.enqueue(tx, deliverWebhooks, { endpointId }, options);
        await retryDelivery(tx, endpointId, id);
        const retried = await findListedDelivery(tx, accountId, id);
        if (retried === null) throw new NotFound('webhook delivery');
        return { status: 202, body: retried };
      }),
  );
};
