import type { Database } from '@gatehouse/db/client';
import { setUserRole } from '@gatehouse/db/users';
import { newId } from '@gatehouse/domain/id';
import { freshKey, type Gateway, order } from './harness.ts';

type Call = Gateway['call'];

/** Who asks. */
export interface Person {
  call: Call;
  /** The same token at another gateway. */
  at(gateway: Pick<Gateway, 'call'>): Call;
  /** The same person with another access token. */
  again(): Promise<Person>;
}

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
  hasLocation?: true;
  /** Two requests that are both good, and different, about things of the person's own. */
  prepare(kit: Kit): Promise<{ ask: Ask; other: Ask }>;
  /** The same request as `ask`, written in another way: defaults spelled out, numbers for decimals. */
  respell?: Record<string, unknown>;
  /** A request that a business rule refuses. */
  refused?: Ask & { status: number };
}

let count = 0;

/** Somebody with an account of his own. */
export async function newPerson(gateway: Gateway, role: 'user' | 'admin'): Promise<Person> {
  count += 1;
  const login = { email: `person${count}@example.com`, password: 'correct horse' };
  await gateway.call('POST', '/v1/auth/register', { body: { ...login, name: 'Ada' } });
  await setUserRole(gateway.db, login.email, role);
  const session = async (): Promise<Person> => {
    const { status, body } = await gateway.call('POST', '/v1/auth/login', { body: login });
    if (status !== 200) throw new Error(`the login answered ${status}`);
    const at: Person['at'] =
      ({ call }) =>
      (method, path, { body: json, headers } = {}) =>
        call(method, path, {
          body: json,
          headers: { authorization: `Bearer ${body.accessToken}`, ...headers },
        });
    return { call: at(gateway), at, again: session };
  };
  return session();
}

/** Paths of two dead jobs, with the given end. */
async function deadJobs({ db }: Kit, end: string): Promise<{ ask: Ask; other: Ask }> {
  const [first, second] = [newId(), newId()];
  await db.job.deleteMany({ where: { state: 'dead' } });
  await db.job.createMany({
    data: [first, second].map((id) => ({
      id,
      queue: 'mail',
      name: 'send-email',
      subjectId: id,
      payload: { emailId: id },
      state: 'dead' as const,
      runAt: new Date(),
      attempts: 8,
    })),
  });
  return {
    ask: { path: `/v1/admin/jobs/${first}/${end}` },
    other: { path: `/v1/admin/jobs/${second}/${end}` },
  };
}

async function placedOrder({ person }: Kit): Promise<string> {
  const { body } = await person.call('POST', '/v1/orders', { body: order(), headers: freshKey() });
  return body.id;
}

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
    effect: ['INSERT api_key'],
    prepare: bodies('/v1/api-keys', { name: 'laptop', scopes: ['tasks:read'] }, { name: 'phone' }),
  },
  {
    method: 'POST',
    route: '/v1/admin/jobs/:id/redrive',
    role: 'admin',
    status: 202,
    effect: ['UPDATE job'],
    prepare: (kit) => deadJobs(kit, 'redrive'),
    refused: { path: `/v1/admin/jobs/${newId()}/redrive`, status: 404 },
  },
  {
    method: 'POST',
    route: '/v1/admin/jobs/:id/cancel',
    role: 'admin',
    status: 202,
    effect: ['DELETE job'],
    prepare: (kit) => deadJobs(kit, 'cancel'),
    refused: { path: `/v1/admin/jobs/${newId()}/cancel`, status: 404 },
  },
  {
    method: 'POST',
    route: '/v1/admin/jobs/redrive',
    role: 'admin',
    status: 200,
    effect: ['UPDATE job', 'UPDATE job'],
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
