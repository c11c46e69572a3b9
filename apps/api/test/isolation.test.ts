import { newId } from '@gatehouse/domain/id';
import { addDeadJobs } from '@gatehouse/testing/dead-jobs';
import { beforeAll, expect, test } from 'vitest';
import { afterFile, freshKey, type Gateway, order, startGateway } from './harness.ts';
import { newPerson, type Person } from './people.ts';
import { startStripe } from './stripe.ts';
import { addStripeEvents } from './stripe-events.ts';
import { addDelivery, addEndpoint } from './webhook-scene.ts';

/** What Ada has, by what the paths of the API call it. */
interface Belongings {
  order: string;
  clientOrderId: string;
  symbol: string;
  task: string;
  deposit: string;
  event: string;
  webhookEndpoint: string;
  webhookDelivery: string;
  webhookReplay: string;
  apiKey: string;
  session: string;
  user: string;
  job: string;
  stripeEvent: string;
  email: string;
  suppressedAddress: string;
}

interface Row {
  /** As the API docs spell it. */
  operation: string;
  /** The parameter's value. */
  of: keyof Belongings;
  body?: object;
  /** 404 unless told otherwise; `public`: it is nobody's. */
  answer?: 403 | 'public';
}

const OPERATIONS: readonly Row[] = [
  { operation: 'GET /v1/orders/{id}', of: 'order' },
  { operation: 'POST /v1/orders/{id}/cancel', of: 'order' },
  { operation: 'GET /v1/orders/by-client-order-id/{clientOrderId}', of: 'clientOrderId' },
  { operation: 'GET /v1/positions/{symbol}', of: 'symbol' },
  { operation: 'GET /v1/quotes/{symbol}', of: 'symbol', answer: 'public' },
  { operation: 'GET /v1/deposits/{id}', of: 'deposit' },
  { operation: 'GET /v1/events/{id}', of: 'event' },
  { operation: 'GET /v1/tasks/{id}', of: 'task' },
  { operation: 'PATCH /v1/tasks/{id}', of: 'task', body: { title: 'yours' } },
  { operation: 'DELETE /v1/tasks/{id}', of: 'task' },
  { operation: 'GET /v1/webhook-endpoints/{id}', of: 'webhookEndpoint' },
  {
    operation: 'PATCH /v1/webhook-endpoints/{id}',
    of: 'webhookEndpoint',
    body: { enabled: false },
  },
  { operation: 'DELETE /v1/webhook-endpoints/{id}', of: 'webhookEndpoint' },
  { operation: 'POST /v1/webhook-endpoints/{id}/rotate-secret', of: 'webhookEndpoint', body: {} },
  { operation: 'POST /v1/webhook-endpoints/{id}/test', of: 'webhookEndpoint' },
  {
    operation: 'POST /v1/webhook-endpoints/{id}/replay',
    of: 'webhookEndpoint',
    body: { since: '2026-11-01T00:00:00.000Z' },
  },
  { operation: 'GET /v1/webhook-endpoints/{id}/replays', of: 'webhookEndpoint' },
  { operation: 'GET /v1/webhook-replays/{id}', of: 'webhookReplay' },
  { operation: 'POST /v1/webhook-replays/{id}/cancel', of: 'webhookReplay' },
  { operation: 'GET /v1/webhook-endpoints/{id}/deliveries', of: 'webhookEndpoint' },
  { operation: 'GET /v1/webhook-deliveries/{id}', of: 'webhookDelivery' },
  { operation: 'POST /v1/webhook-deliveries/{id}/retry', of: 'webhookDelivery' },
  { operation: 'POST /v1/api-keys/{id}/rotate', of: 'apiKey', body: {} },
  { operation: 'DELETE /v1/api-keys/{id}', of: 'apiKey' },
  { operation: 'DELETE /v1/auth/sessions/{id}', of: 'session' },
  { operation: 'GET /v1/users/{id}', of: 'user', answer: 403 },
  { operation: 'PATCH /v1/users/{id}', of: 'user', body: { name: 'yours' }, answer: 403 },
  { operation: 'DELETE /v1/users/{id}', of: 'user', answer: 403 },
  { operation: 'GET /v1/emails/{id}', of: 'email' },
  {
    operation: 'DELETE /v1/admin/email-suppressions/{address}',
    of: 'suppressedAddress',
    answer: 403,
  },
  { operation: 'GET /v1/admin/jobs/{id}', of: 'job', answer: 403 },
  { operation: 'POST /v1/admin/jobs/{id}/redrive', of: 'job', answer: 403 },
  { operation: 'POST /v1/admin/jobs/{id}/cancel', of: 'job', answer: 403 },
  { operation: 'GET /v1/admin/stripe-events/{id}', of: 'stripeEvent', answer: 403 },
  { operation: 'POST /v1/admin/stripe-events/{id}/replay', of: 'stripeEvent', answer: 403 },
];

/** Each shows Ada's things to Ada, and none of them to Bob. */
const LISTS = [
  '/v1/account/ledger',
  '/v1/api-keys',
  '/v1/auth/sessions',
  '/v1/deposits',
  '/v1/emails',
  '/v1/events',
  '/v1/orders',
  '/v1/positions',
  '/v1/tasks',
  '/v1/webhook-deliveries',
  '/v1/webhook-endpoints',
];
/** Of these only admins and operators see anything. */
const LISTS_OF_STAFF = [
  '/v1/admin/audit',
  '/v1/admin/email-suppressions',
  '/v1/admin/jobs',
  '/v1/admin/stripe-events',
  '/v1/admin/stripe-reconciliations',
  '/v1/users',
];

let gateway: Gateway;
let ada: Person;
let bob: Person;
let hers: Belongings;
beforeAll(async () => {
  const { settings } = await startStripe(afterFile);
  gateway = await startGateway({ RATE_LIMIT_MAX: '0', ...settings }, afterFile);
  [ada, bob] = [await newPerson(gateway, 'user'), await newPerson(gateway, 'user')];
  hers = await belongingsOf(ada);
});

async function belongingsOf({
  call,
  userId,
  accountId,
  email: recipient,
}: Person): Promise<Belongings> {
  const make = async (path: string, body: object) =>
    (await call('POST', path, { body, headers: freshKey() })).body.id;
  const clientOrderId = 'mine';
  const [job = ''] = await addDeadJobs(gateway.db, 1);
  const [stripeEvent = ''] = await addStripeEvents(gateway.db, 1);
  const email = newId();
  await gateway.db.email.createMany({
    data: [
      {
        id: email,
        accountId,
        recipient,
        template: 'task-reminder',
        data: {},
        createdAt: new Date(),
      },
    ],
  });
  await gateway.db.emailSuppression.createMany({ data: [{ address: recipient, reason: 'mine' }] });
  const position = {
    symbol: 'AAPL',
    positionType: 'stock',
    quantity: '3',
    costBasis: '9',
  } as const;
  await gateway.db.position.createMany({
    data: [{ id: crypto.randomUUID(), accountId, ...position, updatedAt: new Date() }],
  });
  const session = await gateway.db.session.findFirstOrThrow({ where: { userId } });
  const { id: webhookEndpoint } = await addEndpoint({ call }, { description: 'mine' });
  const webhookDelivery = await addDelivery(gateway.db, { call }, webhookEndpoint);
  const published = { accountId, seq: { not: null } };
  const event = await gateway.db.event.findFirstOrThrow({ where: published });
  return {
    order: await make('/v1/orders', order({ clientOrderId })),
    clientOrderId,
    symbol: position.symbol,
    task: await make('/v1/tasks', { title: 'mine' }),
    deposit: await make('/v1/deposits', { amount: 2500, currency: 'usd' }),
    webhookEndpoint,
    webhookDelivery,
    webhookReplay: await make(`/v1/webhook-endpoints/${webhookEndpoint}/replay`, {
      since: '2026-11-01T00:00:00.000Z',
    }),
    event: event.id,
    apiKey: await make('/v1/api-keys', { name: 'mine' }),
    session: session.id,
    user: userId,
    job,
    stripeEvent,
    email,
    suppressedAddress: recipient,
  };
}

async function spec(): Promise<Record<string, Record<string, object>>> {
  return (await gateway.call('GET', '/openapi.json')).body.paths;
}

/** Every row that there is, save what was written down or answered. */
async function everything(): Promise<unknown> {
  const { db } = gateway;
  const orderBy = { id: 'asc' } as const;
  return Promise.all([
    db.user.findMany({ orderBy }),
    db.order.findMany({ orderBy }),
    db.task.findMany({ orderBy }),
    db.deposit.findMany({ orderBy }),
    db.position.findMany({ orderBy }),
    db.apiKey.findMany({ orderBy }),
    db.session.findMany({ orderBy }),
    db.job.findMany({ orderBy }),
    db.stripeEvent.findMany({ orderBy }),
    db.event.findMany({ orderBy }),
    db.webhookEndpoint.findMany({ orderBy }),
    db.webhookDelivery.findMany({ orderBy }),
    db.webhookReplay.findMany({ orderBy }),
    db.auditEntry.findMany({ orderBy }),
    db.email.findMany({ orderBy }),
    db.emailSuppression.findMany(),
  ]);
}

test('every operation with a parameter in its path is in the table of these tests', async () => {
  const found = Object.entries(await spec()).flatMap(([path, methods]) =>
    path.includes('{')
      ? Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`)
      : [],
  );
  expect(found.sort()).toEqual(OPERATIONS.map(({ operation }) => operation).sort());
});

test('every list is in the table of these tests', async () => {
  const found = Object.entries(await spec()).flatMap(([path, { get }]) =>
    !path.includes('{') && JSON.stringify(get ?? {}).includes('"nextCursor"') ? [path] : [],
  );
  expect(found.sort()).toEqual([...LISTS, ...LISTS_OF_STAFF].sort());
});

test.each(OPERATIONS)(
  "$operation does nothing with another's $of, and tells nothing",
  async (row) => {
    const { operation, of, body, answer = 404 } = row;
    const [method = '', path = ''] = operation.split(' ');
    const before = await everything();
    const { status, text, ...rest } = await bob.call(method, path.replace(/\{\w+\}/, hers[of]), {
      ...(body && { body }),
      headers: freshKey(),
    });
    if (answer === 'public') expect(status).toBe(200);
    else {
      const code = answer === 404 ? 'not_found' : 'forbidden';
      expect([status, rest.body.code]).toEqual([answer, code]);
    }
    for (const secret of [ada.email, ada.userId, ada.accountId, hers.order, 'mine'])
      expect(text).not.toContain(secret);
    expect(await everything()).toEqual(before);
  },
);

test.each(LISTS)("%s has Ada's things for her, and none of them for Bob", async (path) => {
  const list = async (person: Person): Promise<{ id?: string }[]> => {
    const { status, body } = await person.call('GET', path);
    expect(status).toBe(200);
    return body.data;
  };
  const [forAda, forBob] = [await list(ada), await list(bob)];
  expect(forAda.length).toBeGreaterThan(0);
  const keys = new Set(forAda.map((one) => one.id ?? JSON.stringify(one)));
  expect(forBob.filter((one) => keys.has(one.id ?? JSON.stringify(one)))).toEqual([]);
});

test.each(LISTS_OF_STAFF)('%s is not for users', async (path) => {
  const { status, body } = await bob.call('GET', path);
  expect([status, body.code]).toEqual([403, 'forbidden']);
});

test("the table's paths are good: their owner, or an admin, is answered", async () => {
  const admin = await newPerson(gateway, 'admin');
  const reads = OPERATIONS.filter(({ operation }) => operation.startsWith('GET '));
  expect(reads.length).toBeGreaterThan(5);
  for (const { operation, of, answer } of reads) {
    const path = operation.replace(/^GET /, '').replace(/\{\w+\}/, hers[of]);
    const { call } = answer === 403 ? admin : ada;
    expect([path, (await call('GET', path)).status]).toEqual([path, 200]);
  }
});
