import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { lockEventLog } from '@gatehouse/db/event-log';
import { updateEndpoint } from '@gatehouse/db/webhook-endpoint-changes';
import { endpointView } from '@gatehouse/domain/webhook-endpoint-view';
import Type from 'typebox';
import { IfMatch, idempotencyHeader, problems } from '../../schemas.ts';
import { recordEndpointAct } from './audit.ts';
import { assertActive, occasionOf, takeEndpoint } from './locked-endpoint.ts';
import { oweWhatWaits } from './owe.ts';
import { WebhookEndpoint, WebhookEndpointChange, WebhookEndpointParams } from './schemas.ts';
import { switchEndpoint } from './switch.ts';
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
          'It holds for what is sent from now on, what waits included; other `eventTypes` for what happens from now on.',
        headers: Type.Intersect([idempotencyHeader(false), IfMatch]),
        params: WebhookEndpointParams,
        body: WebhookEndpointChange,
        response: { 200: WebhookEndpoint, ...problems(401, 403, 404, 412, 413, 415, 422) },
      },
    },
    (request, reply) => {
      const { url, enabled, eventTypes, ...others } = request.body;
      app.onceAfter(
        request,
        reply,
        async () => (url === undefined ? undefined : app.webhooks.allowedUrl(url)),
        async (tx, allowedUrl) => {
          const changesHearing = eventTypes !== undefined || enabled !== undefined;
          const lastSeq = changesHearing ? await lockEventLog(tx) : null;
          if (enabled) await assertActive(tx, request);
          const endpoint = await takeEndpoint(tx, request);
          const occasion = occasionOf(request);
          const settings = {
            ...others,
            url: allowedUrl,
            eventTypes: eventTypes && [...new Set(eventTypes)],
          };
          const isSet = Object.values(settings).some((value) => value !== undefined);
          const changed = isSet
            ? await updateEndpoint(tx, endpoint, settings, lastSeq, occasion)
            : endpoint;
          const result = await switchEndpoint(tx, changed, enabled, occasion);
          await oweWhatWaits(app.jobs, tx, endpoint, result, request.id);
          const types = eventTypes === undefined ? {} : { eventTypes: result.eventTypes.join(' ') };
          await recordEndpointAct(tx, request, result, 'webhook_endpoint.updated', {
            changed: Object.keys(request.body).sort().join(' '),
            enabled: result.disabledReason === null,
            ...types,
          });
          return { status: 200, body: endpointView(result), etag: endpointTag(result) };
        },
      );
    },
  );
};
