import { ALL_EVENTS } from '@gatehouse/domain/event-filter';
import { EVENT_RESOURCES, EVENT_TYPE_NAMES } from '@gatehouse/domain/event-types';
import { WebhookEndpointSchema } from '@gatehouse/domain/webhook-endpoint-view';
import Type from 'typebox';
import { Body, Id, Nullable, Text } from '../../schemas.ts';

const fields = {
  url: Type.String({
    minLength: 1,
    maxLength: 2_000,
    pattern: '^[^\\u0000]*$',
    description:
      'Where events are sent: https, to a public host. For example `https://example.com/webhooks`',
  }),
  eventTypes: Type.Array(Type.Enum([...EVENT_TYPE_NAMES, ...EVENT_RESOURCES, ALL_EVENTS]), {
    minItems: 1,
    maxItems: 50,
    description: 'Types, all types of a resource (`order.*`), or all (`*`)',
  }),
  description: Nullable(Text(0, 500)),
  rateLimitPerSecond: Nullable(
    Type.Integer({
      minimum: 1,
      maximum: 1_000,
      description: 'Requests a second at most; null for as many as it takes',
    }),
  ),
};
const maxConcurrency = { minimum: 1, maximum: 100, description: 'Requests at a time at most' };
const ordered = {
  description:
    'One request at a time, in the order of `sequence`, which then is in the body: one that fails holds up those ' +
    'behind it until it succeeds or its attempts are used up',
};

export const NewWebhookEndpoint = Body({
  url: fields.url,
  eventTypes: fields.eventTypes,
  description: Type.Optional(fields.description),
  rateLimitPerSecond: Type.Optional(fields.rateLimitPerSecond),
  maxConcurrency: Type.Integer({ ...maxConcurrency, default: 10 }),
  ordered: Type.Boolean({ ...ordered, default: false }),
});

export const WebhookEndpointChange = Body(
  {
    url: Type.Optional(fields.url),
    eventTypes: Type.Optional(fields.eventTypes),
    enabled: Type.Optional(
      Type.Boolean({
        description:
          'A disabled endpoint is sent nothing. What it was owed by then waits until it is enabled; a replay gives it ' +
          'what happened in between.',
      }),
    ),
    description: Type.Optional(fields.description),
    rateLimitPerSecond: Type.Optional(fields.rateLimitPerSecond),
    maxConcurrency: Type.Optional(Type.Integer(maxConcurrency)),
    ordered: Type.Optional(Type.Boolean(ordered)),
  },
  { minProperties: 1 },
);

export const SecretRotation = Body({
  overlapSeconds: Type.Integer({
    minimum: 0,
    maximum: 604_800,
    default: 86_400,
    description: 'For so long are requests signed with the secret of before as well',
  }),
});

export const WebhookEndpoint = WebhookEndpointSchema;

export const WebhookEndpointWithSecret = Type.Object({
  ...WebhookEndpointSchema.properties,
  secret: Type.String({
    description: 'What requests are signed with (Standard Webhooks). Shown here only.',
    examples: ['whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'],
  }),
});

export const TestSent = Type.Object({ eventId: Id });
