import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { recordAct } from '@gatehouse/db/audit';
import { findEndpoint } from '@gatehouse/db/webhook-endpoints';
import { beginReplay, hasRunningReplay, measureWindow } from '@gatehouse/db/webhook-replays';
import { newId } from '@gatehouse/domain/id';
import { deliverWebhooks } from '@gatehouse/jobs/definitions/deliver-webhooks';
import { replayWebhooks } from '@gatehouse/jobs/definitions/replay-webhooks';
import Type from 'typebox';
import { actorOf } from '../../auth/actor.ts';
import { NotFound, WebhookEndpointDisabled, WebhookReplayRunning } from '../../errors.ts';
import { invalidInput } from '../../input/invalid-input.ts';
import { IdParams, IfMatch, idempotencyHeader, problems } from '../../schemas.ts';
import { takeEndpoint } from '../webhook-endpoints/locked-endpoint.ts';
import { NewWebhookReplay, WebhookReplay } from './schemas.ts';
import { replayView } from './view.ts';

export const begin: FastifyPluginAsyncTypebox = async (app) => {
  app.post(
    '/v1/webhook-endpoints/:id/replay',
    {
      config: { access: 'webhooks:manage' },
      schema: {
        tags: ['Webhooks'],
        summary: 'Send a webhook endpoint the events of a window of time again',
        description:
          'Those that it listens to now, also from before it was there, in their order and at its pace. An event has ' +
          'the same `webhook-id` as before. One that is on the way to it already is not sent twice. One replay to an ' +
          'endpoint runs at a time.',
        headers: Type.Intersect([idempotencyHeader(false), IfMatch]),
        params: IdParams,
        body: NewWebhookReplay,
        response: { 202: WebhookReplay, ...problems(401, 403, 404, 409, 412, 413, 415) },
      },
    },
    (request, reply) =>
      app.once(request, reply, async (tx) => {
        const { accountId } = request.principal;
        const known = await findEndpoint(tx, accountId, request.params.id);
        if (known === null) throw new NotFound('webhook endpoint');
        const { onlyFailed } = request.body;
        const since = new Date(request.body.since);
        const until = request.body.until === undefined ? null : new Date(request.body.until);
        if (since >= (until ?? new Date())) {
          throw invalidInput(
            '/since',
            'not_before_until',
            'must be before until, which is now by default',
          );
        }
        // To measure costs: not for what is refused anyway. Both may change until the endpoint is locked.
        if (known.disabledReason !== null) throw new WebhookEndpointDisabled();
        if (await hasRunningReplay(tx, known.id)) throw new WebhookReplayRunning();
        // Before the endpoint is locked: it is sent to meanwhile.
        const measured = await measureWindow(tx, { accountId, since, until });
        const { id: endpointId, disabledReason } = await takeEndpoint(tx, request);
        if (disabledReason !== null) throw new WebhookEndpointDisabled();
        const id = newId();
        const requestId = request.id;
        const window = { since, until, onlyFailed };
        // What it schedules would wait for a job that is dead.
        await app.jobs.enqueue(tx, deliverWebhooks, { endpointId }, { requestId, revives: true });
        await app.jobs.enqueue(tx, replayWebhooks, { replayId: id }, { requestId });
        const wish = { id, accountId, endpointId, ...window, requestId };
        const replay = await beginReplay(tx, wish, measured);
        if (replay === null) throw new WebhookReplayRunning();
        const shown = replayView(replay);
        await recordAct(tx, actorOf(request), {
          action: 'webhook_replay.begun',
          subjectType: 'webhook_replay',
          subjectId: id,
          details: {
            endpointId,
            onlyFailed,
            since: since.toISOString(),
            until: shown.until.toISOString(),
          },
        });
        return { status: 202, body: shown, location: `/v1/webhook-replays/${id}` };
      }),
  );
};
