import type { Database } from '@gatehouse/db/client';
import { newId } from '@gatehouse/domain/id';
import { addDeadJobs } from '@gatehouse/testing/dead-jobs';
import { createTestEndpoint } from '@gatehouse/testing/webhooks';
import { freshKey, order } from './harness.ts';
import type { Person } from './people.ts';
import { addStripeEvents } from './stripe-events.ts';
import { addDelivery, addEndpoint, endDelivery, HOOK_URL } from './webhook-scene.ts';

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
  /** It asks for a state, not for a change: the same under another key finds nothing to do. */
  isState?: true;
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

/** Two endpoints of the person's, which he has or is given: there is an end to how many he may have. */
async function endpoints({ db, person }: Kit): Promise<[string, string]> {
  const { accountId } = person;
  const where = { accountId, deletedAt: null, disabledReason: null };
  const had = await db.webhookEndpoint.findMany({ where, take: 2, orderBy: { id: 'asc' } });
  const [first, second] = had.map(({ id }) => id);
  return [first ?? (await addEndpoint(person)).id, second ?? (await addEndpoint(person)).id];
}

/** Paths of two deliveries that have failed, each at an endpoint of its own, which has one job at most. */
async function failedDeliveries({ db, person }: Kit): Promise<{ ask: Ask; other: Ask }> {
  const failed = async (): Promise<Ask> => {
    const endpointId = await createTestEndpoint(db, person.accountId, {
      url: TEST_URL,
      eventTypes: ['task.due'],
    });
    const id = await addDelivery(db, person, endpointId);
    await endDelivery(db, id, 'failed');
    return { path: `/v1/webhook-deliveries/${id}/retry` };
  };
  return { ask: await failed(), other: await failed() };
}

/** Gives up endpoints that earlier scenes were given: there is an end to how many one may have. */
async function makeRoom({ db, person: { accountId } }: Kit): Promise<void> {
  const where = { accountId, deletedAt: null, url: TEST_URL };
  const orderBy = { id: 'desc' } as const;
  const old = await db.webhookEndpoint.findMany({ where, orderBy, skip: NEEDED_STILL });
  await db.webhookEndpoint.updateMany({
    where: { id: { in: old.map(({ id }) => id) } },
    data: { deletedAt: new Date() },
  });
}

const TEST_URL = 'http://127.0.0.1:9/';

/** By scenes that are under way. */
const NEEDED_STILL = 20;

/** Of a new endpoint: one may have one replay at a time. */
async function replayPath({ db, person }: Kit): Promise<string> {
  return `/v1/webhook-endpoints/${await createTestEndpoint(db, person.accountId, { url: TEST_URL })}/replay`;
}

/** Paths that cancel two replays that are running. */
async function runningReplays(kit: Kit): Promise<{ ask: Ask; other: Ask }> {
  const begin = async (): Promise<Ask> => {
    const { body } = await kit.person.call('POST', await replayPath(kit), { body: SINCE });
    return { path: `/v1/webhook-replays/${body.id}/cancel` };
  };
  return { ask: await begin(), other: await begin() };
}

const SINCE = { since: '2026-11-01T00:00:00.000Z' };

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
    effect: ['INSERT event', 'INSERT job', 'INSERT order'],
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
    effect: ['INSERT event', 'INSERT task'],
    hasLocation: true,
    prepare: bodies('/v1/tasks', { title: 'Buy milk' }, { title: 'Buy bread' }),
    respell: { status: 'TODO', priority: 0 },
  },
  {
    method: 'PATCH',
    route: '/v1/tasks/:id',
    role: 'user',
    status: 200,
    effect: ['INSERT event', 'UPDATE task'],
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
    route: '/v1/webhook-endpoints',
    role: 'user',
    status: 201,
    effect: [
      'INSERT audit_entry',
      'INSERT event',
      'INSERT webhook_endpoint',
      'INSERT webhook_subscription',
    ],
    hasLocation: true,
    prepare: async (kit) => {
      await makeRoom(kit);
      const path = '/v1/webhook-endpoints';
      const body = { url: HOOK_URL, eventTypes: ['webhook_endpoint.test'] };
      return { ask: { path, body }, other: { path, body: { ...body, ordered: true } } };
    },
    respell: { maxConcurrency: 10, ordered: false },
    refused: {
      path: '/v1/webhook-endpoints',
      body: { url: 'https://127.0.0.1/', eventTypes: ['*'] },
      status: 422,
    },
  },
  {
    method: 'PATCH',
    route: '/v1/webhook-endpoints/:id',
    role: 'user',
    status: 200,
    effect: ['INSERT audit_entry', 'INSERT event', 'UPDATE webhook_endpoint'],
    prepare: async (kit) => {
      const [first, second] = await endpoints(kit);
      const body = { description: newId() };
      return {
        ask: { path: `/v1/webhook-endpoints/${first}`, body },
        other: { path: `/v1/webhook-endpoints/${second}`, body },
      };
    },
    refused: {
      path: `/v1/webhook-endpoints/${newId()}`,
      body: { description: 'a' },
      status: 404,
    },
  },
  {
    method: 'POST',
    route: '/v1/webhook-endpoints/:id/rotate-secret',
    role: 'user',
    status: 200,
    effect: ['INSERT audit_entry', 'INSERT event', 'UPDATE webhook_endpoint'],
    prepare: async (kit) => {
      const path = `/v1/webhook-endpoints/${(await endpoints(kit))[0]}/rotate-secret`;
      return { ask: { path, body: {} }, other: { path, body: { overlapSeconds: 60 } } };
    },
    respell: { overlapSeconds: 86_400 },
    refused: { path: `/v1/webhook-endpoints/${newId()}/rotate-secret`, body: {}, status: 404 },
  },
  {
    method: 'POST',
    route: '/v1/webhook-endpoints/:id/test',
    role: 'user',
    status: 202,
    effect: ['INSERT event'],
    prepare: async (kit) => {
      const [first, second] = await endpoints(kit);
      return {
        ask: { path: `/v1/webhook-endpoints/${first}/test` },
        other: { path: `/v1/webhook-endpoints/${second}/test` },
      };
    },
    refused: { path: `/v1/webhook-endpoints/${newId()}/test`, status: 404 },
  },
  {
    method: 'POST',
    route: '/v1/webhook-deliveries/:id/retry',
    role: 'user',
    status: 202,
    effect: ['INSERT job', 'UPDATE webhook_delivery'],
    prepare: failedDeliveries,
    refused: { path: `/v1/webhook-deliveries/${newId()}/retry`, status: 404 },
  },
  {
    method: 'POST',
    route: '/v1/webhook-endpoints/:id/replay',
    role: 'user',
    status: 202,
    effect: ['INSERT audit_entry', 'INSERT job', 'INSERT job', 'INSERT webhook_replay'],
    hasLocation: true,
    prepare: async (kit) => ({
      ask: { path: await replayPath(kit), body: SINCE },
      other: { path: await replayPath(kit), body: { ...SINCE, onlyFailed: true } },
    }),
    respell: { onlyFailed: false },
    refused: { path: `/v1/webhook-endpoints/${newId()}/replay`, body: SINCE, status: 404 },
  },
  {
    method: 'POST',
    route: '/v1/webhook-replays/:id/cancel',
    role: 'user',
    status: 202,
    effect: ['DELETE job', 'INSERT audit_entry', 'UPDATE webhook_replay'],
    prepare: runningReplays,
    refused: { path: `/v1/webhook-replays/${newId()}/cancel`, status: 404 },
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
