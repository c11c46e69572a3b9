import type { EmailAttempt, EmailStatus } from '@gatehouse/db/email-reads';
import Type from 'typebox';
import { Id, Nullable, pageQuery, Query, Text, Timestamp } from '../../schemas.ts';

const STATUSES = [
  'queued',
  'sent',
  'canceled',
  'failed',
  'suppressed',
] as const satisfies EmailStatus[];
const OUTCOMES = ['accepted', 'deferred', 'refused'] as const satisfies EmailAttempt['outcome'][];

const Status = Type.Enum([...STATUSES], {
  description:
    '`sent`: the mail server took it. `canceled`: it is not to be sent. `failed`: it was refused for good. ' +
    '`suppressed`: its address refused mail before, so it was not tried.',
});

export const ListedEmail = Type.Object({
  id: Id,
  recipient: Type.String({ examples: ['ada@example.com'] }),
  template: Type.String({ examples: ['order-confirmation'] }),
  status: Status,
  createdAt: Timestamp,
  sentAt: Nullable(Timestamp),
  nextAttemptAt: Nullable(Timestamp),
});

const Attempt = Type.Object({
  at: Timestamp,
  outcome: Type.Enum([...OUTCOMES], {
    description: '`deferred`: it is tried again. `refused`: for good.',
  }),
  replyCode: Nullable(Type.Integer({ description: 'Of SMTP', examples: [250] })),
  reply: Nullable(Type.String({ description: 'What the mail server said' })),
  durationMs: Type.Integer(),
});

export const Email = Type.Object({
  ...ListedEmail.properties,
  attempts: Type.Array(Attempt, { description: 'The last hundred, oldest first' }),
});

export const EmailQuery = Query({
  ...pageQuery,
  status: Type.Optional(Status),
  template: Type.Optional(Text(1, 100)),
});
