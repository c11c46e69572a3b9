import Type from 'typebox';
import { DecimalText, Time } from '../shapes.ts';
import { UserEventSchema } from '../user-view.ts';
import { eventType } from './event-type.ts';

const PasswordChangeSchema = Type.Object({ email: Type.String(), changedAt: Time });

const OwedSchema = Type.Object({
  currency: Type.String({ examples: ['USD'] }),
  cash: DecimalText('0.00'),
  owed: DecimalText('12.50'),
});

export const ACCOUNT_EVENTS = {
  'account.updated': eventType(
    UserEventSchema,
    'The owner’s name, e-mail or role was changed, or he was deactivated or activated again.',
    {
      id: '0197a1b2-0000-7000-8000-000000000004',
      accountId: '0197a1b2-0000-7000-8000-000000000005',
      email: 'ada@example.com',
      name: 'Ada Example',
      role: 'user',
      createdAt: '2026-11-01T08:00:00.000Z',
      active: true,
    },
  ),
  'account.password_changed': eventType(
    PasswordChangeSchema,
    'The owner’s password was changed, by himself or with a mail that lets him choose a new one.',
    { email: 'ada@example.com', changedAt: '2026-11-20T08:00:00.000Z' },
  ),
  'account.owed_changed': eventType(
    OwedSchema,
    'What the account owes has changed: money was taken back that it had spent, or came in and paid for that.',
    { currency: 'USD', cash: '0.00', owed: '12.50' },
  ),
} as const;
