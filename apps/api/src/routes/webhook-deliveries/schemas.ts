import type {
  DeliveryStatusFilter,
  WebhookDeliveryStatus,
} from '@gatehouse/db/webhook-delivery-reads';
import { EVENT_TYPE_NAMES } from '@gatehouse/domain/event-types';
import Type from 'typebox';
import { Id, Nullable, pageQuery, Query, Timestamp } from '../../schemas.ts';

const STATUSES = [
  'pending',
  'succeeded',
  'failed',
  'canceled',
] as const satisfies WebhookDeliveryStatus[];
const STATUS_FILTERS = [...STATUSES, 'undelivered'] as const satisfies DeliveryStatusFilter[];

export const ListedWebhookDelivery = Type.Object({
  id: Id,
  eventId: Type.String({ description: 'The `webhook-id` of its requests' }),
  eventType: Type.String({ examples: ['order.filled'] }),
  endpointId: Id,
  sequence: Type.Integer({ description: "Counts the endpoint's deliveries: 1, 2, 3" }),
  status: Type.Enum([...STATUSES], {
    description:
      '`failed`: all attempts are used up. `canceled`: its endpoint was deleted, or an operator decided.',
  }),
  attemptCount: Type.Integer({ description: 'Of all rounds: a retry or a replay begins another' }),
  nextAttemptAt: Type.Union([Timestamp, Type.Null()], {
    description:
      'The earliest that it is sent: its own time, or the end of a pause of the whole endpoint; at an ordered one not ' +
      'before the first that is pending. Null when it has ended, and while its endpoint is disabled, in which it waits',
  }),
  createdAt: Timestamp,
  endedAt: Nullable(Timestamp),
});

export const WebhookDelivery = Type.Object({
  ...ListedWebhookDelivery.properties,
  attempts: Type.Array(
    Type.Object({
      at: Timestamp,
      statusCode: Type.Union([Type.Integer(), Type.Null()], {
        description: 'Null when no answer came',
      }),
      durationMs: Type.Integer(),
      error: Type.Union([Type.String(), Type.Null()], { description: 'Null when it succeeded' }),
      responseBody: Type.Union([Type.String(), Type.Null()], {
        description: 'The first 16 KB of the answer, 1 KB of one that took it; null when none came',
      }),
    }),
    { description: 'The last hundred, oldest first' },
  ),
});

export const WebhookDeliveryQuery = Query({
  ...pageQuery,
  status: Type.Optional(
    Type.Enum([...STATUS_FILTERS], {
      description: '`undelivered`: what has failed, or is to be tried again',
    }),
  ),
  eventType: Type.Optional(Type.Enum([...EVENT_TYPE_NAMES])),
});
