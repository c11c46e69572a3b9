import Type, { type Static } from 'typebox';
import { Id, Nullable, Time } from './shapes.ts';

const DISABLED_REASONS = ['owner', 'gone', 'failing', 'deactivated'] as const;

export const WebhookEndpointSchema = Type.Object({
  id: Id,
  url: Type.String(),
  description: Nullable(Type.String()),
  eventTypes: Type.Array(Type.String(), { examples: [['order.*']] }),
  rateLimitPerSecond: Nullable(Type.Integer()),
  maxConcurrency: Type.Integer(),
  ordered: Type.Boolean(),
  enabled: Type.Boolean(),
  disabledReason: Type.Union([Type.Enum([...DISABLED_REASONS]), Type.Null()], {
    description:
      '`owner`: switched off. `gone`: it answered 410. `failing`: it only failed for five days. `deactivated`: its ' +
      'owner was.',
  }),
  disabledAt: Nullable(Time),
  failingSince: Nullable(Time),
  pausedUntil: Nullable(Time),
  createdAt: Time,
  updatedAt: Time,
});

/** An endpoint in the events of it: other receivers and readers of events see them, and a path may be a secret. */
export const WebhookEndpointEventSchema = Type.Object({
  ...WebhookEndpointSchema.properties,
  url: Type.String({
    description: 'Its origin alone: `GET /v1/webhook-endpoints/:id` has all of it',
    examples: ['https://example.com'],
  }),
});

export type WebhookEndpointView = Static<typeof WebhookEndpointSchema>;

/** An endpoint as far as its view goes: without its secrets. */
export interface ViewableEndpoint {
  readonly id: string;
  readonly url: string;
  readonly description: string | null;
  readonly eventTypes: readonly string[];
  readonly rateLimitPerSecond: number | null;
  readonly maxConcurrency: number;
  readonly ordered: boolean;
  readonly disabledReason: WebhookEndpointView['disabledReason'];
  readonly disabledAt: Date | null;
  readonly failingSince: Date | null;
  readonly pausedUntil: Date | null;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

/** An endpoint as the API shows it to its owner: never a secret. */
export function endpointView(endpoint: ViewableEndpoint): WebhookEndpointView {
  return {
    id: endpoint.id,
    url: endpoint.url,
    description: endpoint.description,
    eventTypes: [...endpoint.eventTypes],
    rateLimitPerSecond: endpoint.rateLimitPerSecond,
    maxConcurrency: endpoint.maxConcurrency,
    ordered: endpoint.ordered,
    enabled: endpoint.disabledReason === null,
    disabledReason: endpoint.disabledReason,
    disabledAt: endpoint.disabledAt?.toISOString() ?? null,
    failingSince: endpoint.failingSince?.toISOString() ?? null,
    pausedUntil: endpoint.pausedUntil?.toISOString() ?? null,
    createdAt: endpoint.createdAt.toISOString(),
    updatedAt: endpoint.updatedAt.toISOString(),
  };
}

/** An endpoint as the events of it carry it. */
export function endpointEventView(endpoint: ViewableEndpoint): WebhookEndpointView {
  return { ...endpointView(endpoint), url: new URL(endpoint.url).origin };
}
