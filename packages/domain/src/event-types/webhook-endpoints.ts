import Type from 'typebox';
import { Id } from '../shapes.ts';
import { WebhookEndpointEventSchema, type WebhookEndpointView } from '../webhook-endpoint-view.ts';
import { eventType } from './event-type.ts';

const TestSchema = Type.Object({ endpointId: Id, message: Type.String() });

const CREATED: WebhookEndpointView = {
  id: '0197a1b2-0000-7000-8000-000000000006',
  url: 'https://example.com',
  description: 'Fills',
  eventTypes: ['order.*'],
  rateLimitPerSecond: null,
  maxConcurrency: 10,
  ordered: false,
  enabled: true,
  disabledReason: null,
  disabledAt: null,
  failingSince: null,
  pausedUntil: null,
  createdAt: '2026-11-20T08:00:00.000Z',
  updatedAt: '2026-11-20T08:00:00.000Z',
};
const LATER = { updatedAt: '2026-11-20T09:30:00.000Z' };

const endpoint = (description: string, example: WebhookEndpointView) =>
  eventType(WebhookEndpointEventSchema, description, example);

export const WEBHOOK_ENDPOINT_EVENTS = {
  'webhook_endpoint.created': endpoint('A webhook endpoint was created.', CREATED),
  'webhook_endpoint.updated': endpoint('A webhook endpoint was changed.', {
    ...CREATED,
    ...LATER,
    eventTypes: ['order.*', 'task.due'],
  }),
  'webhook_endpoint.enabled': endpoint('A webhook endpoint is sent events again.', {
    ...CREATED,
    ...LATER,
  }),
  'webhook_endpoint.disabled': endpoint(
    'A webhook endpoint is sent nothing any more, for the reason in `disabledReason`.',
    {
      ...CREATED,
      ...LATER,
      enabled: false,
      disabledReason: 'failing',
      disabledAt: LATER.updatedAt,
      failingSince: '2026-11-15T09:29:00.000Z',
    },
  ),
  'webhook_endpoint.deleted': endpoint('A webhook endpoint was deleted. It is shown as it was.', {
    ...CREATED,
    ...LATER,
  }),
  'webhook_endpoint.secret_rotated': endpoint('A webhook endpoint has a new secret.', {
    ...CREATED,
    ...LATER,
  }),
  'webhook_endpoint.test': eventType(
    TestSchema,
    'Asked for to try a webhook endpoint: told to that one alone.',
    { endpointId: CREATED.id, message: 'This is a test.' },
  ),
} as const;
