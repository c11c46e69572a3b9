import { inspect } from 'node:util';
import { expect, test } from 'vitest';
import { ONE, startDeposits, traces } from './deposit-scene.ts';
import { freshKey } from './harness.ts';
import { kindOf } from './keyed-world.ts';
import { newPerson } from './people.ts';

test('a deposit is answered with what it takes to pay it, and shown without the secret', async () => {
  const { gateway, stripe, ada, deposit } = await startDeposits();
  const { status, body, headers } = await deposit();
  const [intent] = stripe.paymentIntents();
  expect([status, body]).toEqual([
    201,
    {
      id: expect.any(String),
      status: 'pending',
      amount: 2500,
      currency: 'usd',
      clientSecret: intent?.client_secret,
      paymentIntentId: intent?.id,
    },
  ]);
  expect(headers.get('location')).toBe(`/v1/deposits/${body.id}`);
  expect(intent).toMatchObject({
    amount: 2500,
    metadata: { deposit_id: body.id, account_id: ada.accountId },
  });
  expect(await traces(gateway.db, stripe)).toEqual(ONE);

  const path = `/v1/deposits/${body.id}`;
  const read = await ada.call('GET', path);
  const now = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  const { clientSecret, ...shared } = body;
  const shown = {
    ...shared,
    receivedAmount: 0,
    refundedAmount: 0,
    disputedAmount: 0,
    createdAt: now,
    updatedAt: now,
    succeededAt: null,
  };
  expect([read.status, read.body]).toEqual([200, shown]);
  const list = await ada.call('GET', '/v1/deposits');
  expect(list.body).toEqual({ data: [shown], hasMore: false, nextCursor: null });
  expect(list.text + read.text).not.toContain(clientSecret);
  const etag = read.headers.get('etag') ?? '';
  const cached = await ada.call('GET', path, { headers: { 'if-none-match': etag } });
  expect([cached.status, cached.text]).toEqual([304, '']);

  const bob = await newPerson(gateway, 'user');
  expect((await bob.call('GET', path)).status).toBe(404);
  expect((await bob.call('GET', '/v1/deposits')).body.data).toEqual([]);
});

test('deposits are listed newest first, in pages', async () => {
  const { ada, deposit } = await startDeposits();
  const ids = [];
  for (const amount of [50, 51, 52]) {
    ids.unshift((await deposit({ body: { amount, currency: 'usd' } })).body.id);
  }
  const first = (await ada.call('GET', '/v1/deposits?limit=2')).body;
  expect([first.data.map(({ id }: { id: string }) => id), first.hasMore]).toEqual([
    ids.slice(0, 2),
    true,
  ]);
  const rest = await ada.call('GET', `/v1/deposits?limit=2&cursor=${first.nextCursor}`);
  expect([rest.body.data[0].id, rest.body.hasMore]).toEqual([ids[2], false]);
});

test('nobody who reads the tables finds the client secret', async () => {
  const { gateway, deposit } = await startDeposits();
  const { clientSecret } = (await deposit()).body;
  const { db } = gateway;
  const rows = [
    await db.deposit.findMany(),
    await db.event.findMany(),
    await db.idempotencyRecord.findMany(),
    await db.job.findMany(),
  ];
  expect(inspect(rows, { depth: null })).not.toContain(clientSecret);
});

test.each([
  {},
  { amount: 49, currency: 'usd' },
  { amount: 100_000_000, currency: 'usd' },
  { amount: 50.5, currency: 'usd' },
  { amount: '2500', currency: 'usd' },
  { amount: 2500, currency: 'eur' },
  { amount: 2500, currency: 'USD' },
  { amount: 2500 },
  { amount: 2500, currency: 'usd', status: 'succeeded' },
])('%j is refused, and nothing is begun', async (body) => {
  const { gateway, stripe, deposit } = await startDeposits();
  expect((await deposit({ body })).status).toBe(400);
  expect(await traces(gateway.db, stripe)).toMatchObject({ deposits: [], payments: 0, jobs: 0 });
});

test('the least and the most that Stripe takes are taken', async () => {
  const { deposit } = await startDeposits();
  for (const amount of [50, 99_999_999]) {
    expect((await deposit({ body: { amount, currency: 'usd' } })).body.amount).toBe(amount);
  }
});

test('a key is needed', async () => {
  const { ada } = await startDeposits();
  const body = { amount: 2500, currency: 'usd' };
  expect((await ada.call('POST', '/v1/deposits', { body })).body.code).toBe(
    'idempotency_key_required',
  );
});

test('without a key for Stripe there are no deposits, and nothing is begun', async () => {
  const { gateway, stripe, ada, deposit } = await startDeposits({ STRIPE_SECRET_KEY: '' });
  const { status, body, headers } = await deposit();
  expect([status, body.code]).toEqual([503, 'payments_not_configured']);
  expect(Number(headers.get('retry-after'))).toBeGreaterThan(0);
  const nothing = { deposits: [], payments: 0, records: 0, jobs: 0, events: [] };
  expect(await traces(gateway.db, stripe)).toEqual(nothing);
  expect((await ada.call('GET', '/v1/deposits')).body.data).toEqual([]);
});

test.each([
  ['with Redis', {}],
  ['without Redis', { REDIS_URL: 'redis://127.0.0.1:1' }],
])('of twenty at once with one key, over two gateways, one is made (%s)', async (_, settings) => {
  const { gateway, stripe, deposit } = await startDeposits();
  const gateways = [await gateway.replica(settings), await gateway.replica(settings)];
  stripe.fault('/v1/payment_intents', { delayMs: 300 });
  const key = freshKey();
  const sent = Array.from({ length: 20 }, (_one, index) =>
    deposit({ key, at: gateways[index % 2] ?? gateway }),
  );
  const kinds = new Set((await Promise.all(sent)).map(kindOf));
  for (const kind of kinds) {
    expect(['ran', 'replayed', '409 idempotency_key_in_use']).toContain(kind);
  }
  expect(kinds).toContain('ran');
  expect(await traces(gateway.db, stripe)).toEqual(ONE);
  const again = await deposit({ key });
  expect([again.status, kindOf(again)]).toEqual([201, 'replayed']);
  expect(await traces(gateway.db, stripe)).toEqual(ONE);
});

test('a key whose deposit is not answered yet belongs to its request, and stays with it', async () => {
  const { gateway, stripe, deposit } = await startDeposits();
  stripe.fault('/v1/payment_intents', { status: 429 });
  const key = freshKey();
  expect((await deposit({ key })).status).toBe(503);
  const other = { amount: 2600, currency: 'usd' };
  expect(kindOf(await deposit({ key, body: other }))).toBe('422 idempotency_key_reused');
  expect((await deposit({ key })).body).toMatchObject({ status: 'pending', amount: 2500 });
  expect(await traces(gateway.db, stripe)).toEqual(ONE);
});

test('a key that Redis forgot makes no deposit when it was used for something else', async () => {
  const { gateway, stripe, ada, deposit } = await startDeposits();
  const key = freshKey();
  const task = { body: { title: 'Look at the market' }, headers: key };
  const made = await ada.call('POST', '/v1/tasks', task);
  expect(made.status).toBe(201);
  await gateway.app.redis.flushdb();
  expect(kindOf(await deposit({ key }))).toBe('422 idempotency_key_reused');
  expect(await traces(gateway.db, stripe)).toEqual({
    deposits: [],
    payments: 0,
    records: 1,
    jobs: 0,
    events: [],
  });
  expect((await ada.call('POST', '/v1/tasks', task)).text).toBe(made.text);
});

test('a key whose deposit is not answered yet is nobody else’s', async () => {
  const { gateway, stripe, ada, deposit } = await startDeposits();
  stripe.fault('/v1/payment_intents', { status: 429 });
  const key = freshKey();
  expect((await deposit({ key })).status).toBe(503);
  for (const flushed of [false, true]) {
    if (flushed) await gateway.app.redis.flushdb();
    const order = { symbol: 'AAPL', side: 'buy', type: 'market', quantity: '1' };
    for (const [path, body] of [
      ['/v1/tasks', { title: 'y' }],
      ['/v1/orders', order],
    ] as const) {
      const reply = await ada.call('POST', path, { body, headers: key });
      expect([path, kindOf(reply)]).toEqual([path, '422 idempotency_key_reused']);
    }
  }
  expect(await gateway.db.task.count()).toBe(0);
  expect(await gateway.db.order.count()).toBe(0);
  expect((await deposit({ key })).status).toBe(201);
  expect(await traces(gateway.db, stripe)).toEqual(ONE);
});

test('a replay makes no second deposit, however old the first has become before its answer', async () => {
  const { gateway, stripe, deposit } = await startDeposits();
  const key = freshKey();
  const first = await deposit({ key });
  await gateway.db.$executeRaw`UPDATE deposit SET created_at = created_at - interval '24 hours'`;
  await gateway.app.redis.flushdb();
  const again = await deposit({ key });
  expect([kindOf(again), again.text]).toEqual(['replayed', first.text]);
  expect(await traces(gateway.db, stripe)).toEqual(ONE);
});

test('a misuse of a key that Redis forgot does not hide its answer', async () => {
  const { gateway, stripe, deposit } = await startDeposits();
  const key = freshKey();
  const first = await deposit({ key });
  await gateway.app.redis.flushdb();
  const other = { amount: 2600, currency: 'usd' };
  expect(kindOf(await deposit({ key, body: other }))).toBe('422 idempotency_key_reused');
  const again = await deposit({ key });
  expect([kindOf(again), again.text]).toEqual(['replayed', first.text]);
  expect(await traces(gateway.db, stripe)).toEqual(ONE);
});

test('nor is it taken for another request when the secret has changed meanwhile', async () => {
  const { gateway, stripe, deposit } = await startDeposits();
  stripe.fault('/v1/payment_intents', { status: 429 });
  const key = freshKey();
  expect((await deposit({ key })).status).toBe(503);
  const { AUTH_SECRET } = gateway.config;
  const at = await gateway.replica({ AUTH_SECRET: `${'n'.repeat(32)},${AUTH_SECRET}` });
  expect((await deposit({ key, at })).status).toBe(201);
  expect(await traces(gateway.db, stripe)).toEqual(ONE);
});

test('a key whose deposit is a day old is new', async () => {
  const { gateway, stripe, deposit } = await startDeposits();
  const key = freshKey();
  const first = await deposit({ key });
  await gateway.db.$executeRaw`UPDATE deposit SET created_at = created_at - interval '25 hours'`;
  await gateway.db.$executeRaw`
    UPDATE idempotency_record SET created_at = created_at - interval '25 hours'`;
  await gateway.app.redis.flushdb();
  const second = await deposit({ key });
  expect([second.status, kindOf(second)]).toEqual([201, 'ran']);
  expect(second.body.id).not.toBe(first.body.id);
  expect(stripe.paymentIntents()).toHaveLength(2);
});
