import { newId } from '@gatehouse/domain/id';
import { bodies, type KeyedRoute } from './keyed-route.ts';

const newAddress = () => `${newId()}@example.com`;

/** Users, what each sets for himself, and what an admin does to them. */
export const USERS: readonly KeyedRoute[] = [
  {
    method: 'PATCH',
    route: '/v1/users/me',
    role: 'user',
    status: 200,
    effect: ['INSERT audit_entry', 'INSERT event', 'UPDATE user'],
    prepare: async () => bodies('/v1/users/me', { name: newId() }, { name: newId() })(),
  },
  {
    method: 'PATCH',
    route: '/v1/email-preferences',
    role: 'user',
    status: 200,
    effect: ['INSERT email_opt_out'],
    isState: true,
    prepare: async ({ db, person: { accountId } }) => {
      await db.emailOptOut.deleteMany({ where: { accountId } });
      const path = '/v1/email-preferences';
      return {
        ask: { path, body: { reminders: false } },
        other: { path, body: { reminders: true } },
      };
    },
  },
  {
    method: 'POST',
    route: '/v1/users',
    role: 'admin',
    status: 201,
    effect: [
      'INSERT account',
      'INSERT audit_entry',
      'INSERT job',
      'INSERT ledger_entry',
      'INSERT ledger_entry',
      'INSERT ledger_transaction',
      'INSERT password_reset_request',
      'INSERT user',
      'UPDATE account',
    ],
    hasLocation: true,
    prepare: async () =>
      bodies('/v1/users', { email: newAddress(), name: 'Bob' }, { email: newAddress() })(),
    respell: { role: 'user' },
  },
  {
    method: 'PATCH',
    route: '/v1/users/:id',
    role: 'admin',
    status: 200,
    effect: ['INSERT audit_entry', 'INSERT audit_entry', 'INSERT event', 'UPDATE user'],
    prepare: async ({ person }) => {
      const body = { email: newAddress(), name: 'Bob' };
      const created = await person.call('POST', '/v1/users', { body });
      const path = `/v1/users/${created.body.id}`;
      return {
        ask: { path, body: { name: 'Carl', role: 'operator' } },
        other: { path, body: { name: 'Dora' } },
      };
    },
    refused: { path: `/v1/users/${newId()}`, body: { name: 'Carl' }, status: 404 },
  },
];
