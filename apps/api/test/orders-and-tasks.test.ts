import { expect, test } from 'vitest';
import { freshKey, order, startGateway } from './harness.ts';

test('orders are listed by status and symbol and read by either id', async () => {
  const gateway = await startGateway();
  const client = await gateway.client();
  const place = (changes: object) =>
    client.call('POST', '/v1/orders', { body: order({ ...changes }), headers: freshKey() });
  const apple = await place({ clientOrderId: 'my order/1' });
  await place({ symbol: 'MSFT' });
  const list = async (query: string) =>
    (await client.call('GET', `/v1/orders?${query}`)).body.data.map(
      ({ symbol }: { symbol: string }) => symbol,
    );
  expect(await list('')).toEqual(['MSFT', 'AAPL']);
  expect(await list('symbol=AAPL')).toEqual(['AAPL']);
  expect(await list('status=accepted&symbol=MSFT')).toEqual(['MSFT']);
  expect(await list('status=filled')).toEqual([]);
  const read = await client.call(
    'GET',
    `/v1/orders/by-client-order-id/${encodeURIComponent('my order/1')}`,
  );
  expect(read.body).toEqual({ ...apple.body, fills: [] });
  expect((await client.call('GET', '/v1/orders/by-client-order-id/other')).status).toBe(404);
});

test('a clientOrderId is unique per account, also when 20 orders race for it', async () => {
  const gateway = await startGateway();
  const [ada, bob] = [await gateway.client(), await gateway.client()];
  const answers = await Promise.all(
    Array.from({ length: 20 }, () =>
      ada.call('POST', '/v1/orders', {
        body: order({ clientOrderId: 'one' }),
        headers: freshKey(),
      }),
    ),
  );
  expect(answers.map(({ status }) => status).sort()).toEqual([201, ...Array(19).fill(409)]);
  expect(answers.find(({ status }) => status === 409)?.body.code).toBe('client_order_id_taken');
  expect(
    (
      await bob.call('POST', '/v1/orders', {
        body: order({ clientOrderId: 'one' }),
        headers: freshKey(),
      })
    ).status,
  ).toBe(201);
});

test('an open order is taken for cancellation with its job, a final one is not', async () => {
  const gateway = await startGateway();
  const client = await gateway.client();
  const { body } = await client.call('POST', '/v1/orders', { body: order(), headers: freshKey() });
  const cancel = () => client.call('POST', `/v1/orders/${body.id}/cancel`, { headers: freshKey() });
  expect((await cancel()).status).toBe(202);
  const jobs = await gateway.db.job.findMany({
    where: { subjectId: body.id },
    orderBy: { id: 'asc' },
  });
  expect(jobs.map(({ name }) => name)).toEqual(['execute-trade', 'cancel-trade']);
  await gateway.db.order.update({ where: { id: body.id }, data: { status: 'canceled' } });
  const late = await cancel();
  expect([late.status, late.body.code]).toEqual([409, 'order_not_cancelable']);
  expect(await gateway.db.job.count()).toBe(2);
});

test('a quote has a bid below its ask; positions of nothing are empty', async () => {
  const gateway = await startGateway();
  const client = await gateway.client();
  const { body } = await client.call('GET', '/v1/quotes/AAPL');
  expect(Number(body.bid)).toBeLessThan(Number(body.ask));
  expect(body).toMatchObject({ symbol: 'AAPL', source: 'simulated' });
  expect(body.asOf).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  expect((await client.call('GET', '/v1/quotes/aapl')).status).toBe(400);
  expect((await client.call('GET', '/v1/positions')).body).toEqual({
    data: [],
    hasMore: false,
    nextCursor: null,
  });
  expect((await client.call('GET', '/v1/positions/AAPL')).status).toBe(404);
});

test('a task has defaults, is changed in part, and filtered', async () => {
  const gateway = await startGateway();
  const client = await gateway.client();
  const made = await client.call('POST', '/v1/tasks', { body: { title: 'Sell the rally' } });
  expect(made.body).toMatchObject({
    title: 'Sell the rally',
    description: null,
    status: 'TODO',
    priority: 0,
    dueAt: null,
    version: 1,
  });
  const path = made.headers.get('location') ?? '';
  const changed = await client.call('PATCH', path, { body: { status: 'DONE', priority: 9 } });
  expect(changed.body).toMatchObject({
    title: 'Sell the rally',
    status: 'DONE',
    priority: 9,
    version: 2,
  });
  const count = async (query: string) =>
    (await client.call('GET', `/v1/tasks?${query}`)).body.data.length;
  expect([
    await count('status=DONE&priority=9'),
    await count('priority=0'),
    await count('status=TODO'),
  ]).toEqual([1, 0, 0]);
  for (const body of [
    {},
    { title: '' },
    { priority: 10 },
    { priority: '1' },
    { status: 'todo' },
    { dueAt: 'tomorrow' },
    { dueAt: '2026-02-30T08:00:00Z' },
    { dueAt: '2026-12-31T23:59:60Z' },
    { dueAt: '0000-01-01T00:00:00Z' },
    { dueAt: '2026-11-20T08:00:00' },
    { id: 'x' },
  ]) {
    expect([body, (await client.call('PATCH', path, { body })).status]).toEqual([body, 400]);
  }
});

test('twenty changes at once are twenty versions', async () => {
  const gateway = await startGateway();
  const client = await gateway.client();
  const { body } = await client.call('POST', '/v1/tasks', { body: { title: 'a' } });
  const answers = await Promise.all(
    Array.from({ length: 20 }, (_, index) =>
      client.call('PATCH', `/v1/tasks/${body.id}`, { body: { title: `t${index}` } }),
    ),
  );
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
  expect(answers.map((answer) => answer.body.version).sort((a, b) => a - b)).toEqual(
    Array.from({ length: 20 }, (_, i) => i + 2),
  );
});

test('a task owes exactly the reminder that it should have', async () => {
  const gateway = await startGateway();
  const client = await gateway.client();
  const dueAt = new Date(Date.now() + 3_600_000).toISOString();
  const { body } = await client.call('POST', '/v1/tasks', { body: { title: 'a', dueAt } });
  const path = `/v1/tasks/${body.id}`;
  const reminders = async () =>
    (await gateway.db.job.findMany({ where: { subjectId: body.id } })).map(
      ({ name, state, runAt, priority }) => `${name} ${state} ${runAt.toISOString()} ${priority}`,
    );
  expect(await reminders()).toEqual([`remind-task waiting ${dueAt} 9`]);
  const later = new Date(Date.now() + 7_200_000).toISOString();
  await client.call('PATCH', path, { body: { dueAt: later, priority: 7 } });
  expect(await reminders()).toEqual([`remind-task waiting ${later} 2`]);
  await client.call('PATCH', path, { body: { status: 'DONE' } });
  expect(await reminders()).toEqual([]);
  await client.call('PATCH', path, { body: { status: 'TODO' } });
  expect(await reminders()).toHaveLength(1);
  await client.call('DELETE', path);
  expect(await reminders()).toEqual([]);
});
