import Type from 'typebox';
import { Body, Id, Nullable, Timestamp } from '../../schemas.ts';

const Time = (description: string) => Type.String({ format: 'date-time', description });

export const NewWebhookReplay = Body({
  since: Time('Events since then'),
  until: Type.Optional(
    Time('and before then, by the time of each event; by default all that there are by now'),
  ),
  onlyFailed: Type.Boolean({
    default: false,
    description: 'Only those whose delivery to the endpoint failed for good, or was canceled',
  }),
});

export const WebhookReplay = Type.Object({
  id: Id,
  endpointId: Id,
  since: Timestamp,
  until: Type.Unsafe<Date>({
    ...Timestamp,
    description: 'Not later than `createdAt`: what happens after that is sent anyway',
  }),
  onlyFailed: Type.Boolean(),
  status: Type.Enum(['running', 'succeeded', 'canceled'], {
    description:
      '`succeeded`: all that it is about is scheduled; see `pending`. `canceled`: nothing more is scheduled.',
  }),
  total: Type.Integer({
    description:
      'Events of the window, none of which is older than 30 days. Near its ends a few may be counted wrongly, and some ' +
      'may become too old while it runs.',
  }),
  examined: Type.Integer({ description: 'Of these, so many were looked at' }),
  scheduled: Type.Integer({
    description:
      'and so many are sent: those that the endpoint listens to, and that are not on the way to it anyway',
  }),
  delivered: Type.Integer({ description: 'Of these, so many have arrived' }),
  failed: Type.Integer({ description: 'so many have not, for good' }),
  pending: Type.Integer({ description: 'and so many are on the way' }),
  createdAt: Timestamp,
  updatedAt: Timestamp,
  endedAt: Nullable(Timestamp),
});
