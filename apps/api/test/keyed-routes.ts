import type { Database } from '@gatehouse/db/client';
import { newId } from '@gatehouse/domain/id';
import { addDeadJobs } from '@gatehouse/testing/dead-jobs';
import { freshKey, order } from './harness.ts';
import type { Person } from './people.ts';
import { addStripeEvents } from './stripe-events.ts';

export interface Ask {
  path: string;
  body?: Record<string, unknown>;
  headers?: Record<string, string>;
}

export interface Kit {
  db: Database;
  person: Person;
}

/** A route that takes an idempotency key, and how to use it. */
export interface KeyedRoute {
  method: 'POST' | 'PATCH';
  /** As the route table spells it. */
  route: string;
  role: 'user' | 'admin';
  status: number;
  /** What one run of it writes, beside the record of its key. */
  effect: readonly string[];
  isRequired?: true;
  /** It commits before it has an answer, and its retry goes on from there: deposits-crash.test.ts. */
  hasRecoveryPoint?: true;
  hasLocation?: true;
  /** Two requests that are both good, and different, about things of the person's own. */
  prepare(kit: Kit): Promise<{ ask: Ask; other: Ask }>;
  /** The same request as `ask`, written in another way: defaults spelled out, numbers for decimals. */
  respell?: Record<string, unknown>;
  /** A request that a business rule refuses. */
  refused?: Ask & { status: number };
}

/** Paths of two dead jobs, with the given end. */
async function deadJobs({ db }: Kit, end: string): Promise<{ ask: Ask; other: Ask }> {
  await db.job.deleteMany({ where: { state: 'dead' } });
  const [first, second] = await addDeadJobs(db, 2);
  return {
    ask: { path: `/v1/admin/jobs/${first}/${end}` },
    other: { path: `/v1/admin/jobs/${second}/${end}` },
  };
}

/** Paths of two events from Stripe that are processed. */
async function stripeEvents({ db }: Kit): Promise<{ ask: Ask; other: Ask }> {
  const [first, second] = await addStripeEvents(db, 2);
  const path = (id?: string) => `/v1/admin/stripe-events/${id}/replay`;
  return { ask: { path: path(first) }, other: { path: path(second) } };
}

async function placedOrder({ person }: Kit): Promise<string> {
  const { body } = await person.call('POST', '/v1/orders', { body: order(), headers: freshKey() });
  return body.id;
}

const newAddress = () => `${newId()}@example.com`;

const bodies = (path: string, body: Ask['body'] & {}, change: object) => async () => ({
  ask: { path, body },
  other: { path, body: { ...body, ...change } },
});

/** Every keyed route. `idempotency-routes.test.ts` holds it against the gateway's own route table. */
export const KEYED_ROUTES: readonly KeyedRoute[] = [
  {
    method: 'POST',
    route: '/v1/orders',
    role: 'user',
    status: 201,
    effect: ['INSERT job', 'INSERT order'],
    isRequired: true,
    hasLocation: true,
    prepare: bodies(
      '/v1/orders',
      { symbol: 'AAPL', side: 'buy', type: 'limit', quantity: '3', limitPrice: '187.5' },
      { quantity: '4' },
    ),
    respell: { quantity: 3, limitPrice: '187.50', timeInForce: 'day', positionType: 'stock' },
  },
  {
    method: 'POST',
    route: '/v1/deposits',
    role: 'user',
    status: 201,
    effect: ['DELETE job', 'INSERT deposit', 'INSERT event', 'INSERT job', 'UPDATE deposit'],
    isRequired: true,
    hasRecoveryPoint: true,
    hasLocation: true,
    prepare: bodies('/v1/deposits', { amount: 2500, currency: 'usd' }, { amount: 2600 }),
  },
  {
    method: 'POST',
    route: '/v1/orders/:id/cancel',
    role: 'user',
    status: 202,
    effect: ['INSERT job', 'UPDATE order'],
    prepare: async (kit) => ({
      ask: { path: `/v1/orders/${await placedOrder(kit)}/cancel` },
      other: { path: `/v1/orders/${await placedOrder(kit)}/cancel` },
    }),
    refused: { path: `/v1/orders/${newId()}/cancel`, status: 404 },
  },
  {
    method: 'POST',
    route: '/v1/tasks',
    role: 'user',
    status: 201,
    effect: ['INSERT task'],
    hasLocation: true,
    prepare: bodies('/v1/tasks', { title: 'Buy milk' }, { title: 'Buy bread' }),
    respell: { status: 'TODO', priority: 0 },
  },
  {
    method: 'PATCH',
    route: '/v1/tasks/:id',
    role: 'user',
    status: 200,
    effect: ['UPDATE task'],
    prepare: async ({ person }) => {
      const { body } = await person.call('POST', '/v1/tasks', { body: { title: 'Buy milk' } });
      const path = `/v1/tasks/${body.id}`;
      return {
        ask: { path, body: { title: 'Buy bread', priority: 2 } },
        other: { path, body: { title: 'Buy salt' } },
      };
    },
    refused: { path: `/v1/tasks/${newId()}`, body: { title: 'Buy bread' }, status: 404 },
  },
  {
    method: 'POST',
    route: '/v1/api-keys',
    role: 'user',
    status: 201,
    effect: ['INSERT api_key', 'INSERT audit_entry'],
    prepare: bodies('/v1/api-keys', { name: 'laptop', scopes: ['tasks:read'] }, { name: 'phone' }),
  },
  {
    method: 'POST',
    route: '/v1/api-keys/:id/rotate',
    role: 'user',
    status: 200,
    effect: ['INSERT audit_entry', 'UPDATE api_key'],
    prepare: async ({ person }) => {
      const { body } = await person.call('POST', '/v1/api-keys', { body: { name: 'laptop' } });
      const path = `/v1/api-keys/${body.id}/rotate`;
      return { ask: { path, body: {} }, other: { path, body: { overlapSeconds: 60 } } };
    },
    respell: { overlapSeconds: 86_400 },
    refused: { path: `/v1/api-keys/${newId()}/rotate`, body: {}, status: 404 },
  },
  {
    method: 'PATCH',
    route: '/v1/users/me',
    role: 'user',
    status: 200,
    effect: ['INSERT audit_entry', 'UPDATE user'],
    prepare: async () => bodies('/v1/users/me', { name: newId() }, { name: newId() })(),
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
    effect: ['INSERT audit_entry', 'INSERT audit_entry', 'UPDATE user'],
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
  {
    method: 'POST',
    route: '/v1/admin/jobs/:id/redrive',
    role: 'admin',
    status: 202,
    effect: ['INSERT audit_entry', 'UPDATE job'],
    prepare: (kit) => deadJobs(kit, 'redrive'),
    refused: { path: `/v1/admin/jobs/${newId()}/redrive`, status: 404 },
  },
  {
    method: 'POST',
    route: '/v1/admin/jobs/:id/cancel',
    role: 'admin',
    status: 202,
    effect: ['DELETE job', 'INSERT audit_entry'],
    prepare: (kit) => deadJobs(kit, 'cancel'),
    refused: { path: `/v1/admin/jobs/${newId()}/cancel`, status: 404 },
  },
  {
    method: 'POST',
    route: '/v1/admin/stripe-events/:id/replay',
    role: 'admin',
    status: 202,
    effect: ['INSERT audit_entry', 'INSERT job'],
    prepare: stripeEvents,
    refused: { path: `/v1/admin/stripe-events/${newId()}/replay`, status: 404 },
  },
  {
    method: 'POST',
    route: '/v1/admin/jobs/redrive',
    role: 'admin',
    status: 200,
    effect: ['INSERT audit_entry', 'UPDATE job', 'UPDATE job'],
    prepare: async (kit) => {
      await deadJobs(kit, 'redrive');
      const path = '/v1/admin/jobs/redrive';
      return {
        ask: { path, body: { queue: 'mail', name: 'send-email' } },
        other: { path, body: { queue: 'mail' } },
      };
    },
    respell: { dryRun: false },
  },
];
