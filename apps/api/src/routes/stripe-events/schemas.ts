import type { StripeEventSource, StripeEventStatus } from '@gatehouse/db/stripe-events';
import Type from 'typebox';
import { Id, Nullable, pageQuery, Query, Text, Timestamp } from '../../schemas.ts';

const STATUSES = [
  'received',
  'processed',
  'ignored',
  'refused',
] as const satisfies StripeEventStatus[];
const SOURCES = ['webhook', 'reconciliation'] as const satisfies StripeEventSource[];

const Status = Type.Enum([...STATUSES], {
  description:
    '`received`: its job is owed. `ignored`: nobody handles its type, or it is about nothing of ours. `refused`: it is ' +
    'of another mode or account.',
});
const Source = Type.Enum([...SOURCES], {
  description: 'Whether Stripe delivered it, or was asked for it',
});

export const ListedStripeEvent = Type.Object({
  id: Id,
  eventId: Type.String({ description: 'At Stripe', examples: ['evt_1PZ'] }),
  type: Type.String({ examples: ['payment_intent.succeeded'] }),
  livemode: Type.Boolean(),
  source: Source,
  status: Status,
  outcome: Nullable(
    Type.String({ description: 'Why it was ignored or refused, or what came of it' }),
  ),
  receivedAt: Timestamp,
  processedAt: Nullable(Timestamp),
});

export const StripeEvent = Type.Object({
  ...ListedStripeEvent.properties,
  event: Type.Unknown({
    description: 'All that it says save client secrets; null when it is too complex to show',
  }),
});

export const StripeEventQuery = Query({
  ...pageQuery,
  status: Type.Optional(Status),
  type: Type.Optional(Text(1, 255)),
  source: Type.Optional(Source),
  eventId: Type.Optional(Text(1, 255)),
});
