import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { lockEventLog } from '@gatehouse/db/event-log';
import { endpointView } from '@gatehouse/domain/webhook-endpoint-view';
import Type from 'typebox';
import { IdParams, IfMatch, idempotencyHeader, problems } from '../../schemas.ts';
import { applyChange } from './apply-change.ts';
import { assertActive, takeEndpoint } from './locked-endpoint.ts';
import { WebhookEndpoint, WebhookEndpointChange } from './schemas.ts';
import { endpointTag } from './tags.ts';

export const change: FastifyPluginAsyncTypebox = async (app) => {
  app.patch(
    '/v1/webhook-endpoints/:id',
    {
      config: { access: 'webhooks:manage' },
      schema: {
        tags: ['Webhooks'],
        summary: 'Change a webhook endpoint, or switch it off or on',
        description:
          'It holds for what is sent from now on, what waits included; other `eventTypes` for what happens from now on. ' +
          'What is as it is asked to be is no change.',
        headers: Type.Intersect([idempotencyHeader(false), IfMatch]),
        params: IdParams,
        body: WebhookEndpointChange,
        response: { 200: WebhookEndpoint, ...problems(401, 403, 404, 412, 413, 415, 422) },
      },
    },
    (request, reply) => {
      const { url, enabled, eventTypes } = request.body;
      app.onceAfter(
        request,
        reply,
        async () => (url === undefined ? undefined : app.webhooks.allowedUrl(url)),
        async (tx, allowedUrl) => {
          const changesHearing = eventTypes !== undefined || enabled !== undefined;
          const lastSeq = changesHearing ? await lockEventLog(tx) : null;
          if (enabled) await assertActive(tx, request);
          const endpoint = await takeEndpoint(tx, request);
          const wanted = {
            ...request.body,
            url: allowedUrl,
            eventTypes: eventTypes && [...new Set(eventTypes)],
          };
          const result = await applyChange(app, tx, request, endpoint, wanted, lastSeq);
          return { status: 200, body: endpointView(result), etag: endpointTag(result) };
        },
      );
    },
  );
};
