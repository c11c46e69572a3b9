import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { recordAct } from '@gatehouse/db/audit';
import { withdrawJobs } from '@gatehouse/db/jobs';
import { endReplay, findEndpointOfReplay, findReplay } from '@gatehouse/db/webhook-replays';
import { replayWebhooks } from '@gatehouse/jobs/definitions/replay-webhooks';
import { actorOf } from '../../auth/actor.ts';
import { NotFound, WebhookReplayEnded } from '../../errors.ts';
import { IdParams, idempotencyHeader, problems } from '../../schemas.ts';
import { WebhookReplay } from './schemas.ts';
import { replayView } from './view.ts';

export const cancel: FastifyPluginAsyncTypebox = async (app) => {
  app.post(
    '/v1/webhook-replays/:id/cancel',
    {
      config: { access: 'webhooks:manage' },
      schema: {
        tags: ['Webhooks'],
        summary: 'Have a replay schedule nothing more. What it has scheduled is still sent.',
        headers: idempotencyHeader(false),
        params: IdParams,
        response: { 202: WebhookReplay, ...problems(401, 403, 404, 409, 413, 415) },
      },
    },
    (request, reply) =>
      app.once(request, reply, async (tx) => {
        const { accountId } = request.principal;
        const { id } = request.params;
        const endpointId = await findEndpointOfReplay(tx, accountId, id);
        if (endpointId === null) throw new NotFound('webhook replay');
        // Its job before the replay itself, in the order in which a run settles.
        await withdrawJobs(tx, replayWebhooks.name, id);
        if (!(await endReplay(tx, id, 'canceled'))) throw new WebhookReplayEnded();
        await recordAct(tx, actorOf(request), {
          action: 'webhook_replay.canceled',
          subjectType: 'webhook_replay',
          subjectId: id,
          details: { endpointId },
        });
        const canceled = await findReplay(tx, accountId, id);
        if (canceled === null) throw new NotFound('webhook replay');
        return { status: 202, body: replayView(canceled) };
      }),
  );
};
