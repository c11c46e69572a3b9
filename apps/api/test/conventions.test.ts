import { beforeAll, describe, expect, test } from 'vitest';
import { afterFile, type Client, freshKey, type Gateway, order, startGateway } from './harness.ts';

const TYPE = 'application/problem+json; charset=utf-8';

test('a refused order says what is wrong with each member, as RFC 9457', async () => {
  const gateway = await startGateway();
  const client = await gateway.client();
  const { status, headers, body } = await client.call('POST', '/v1/orders', {
    body: {
      symbol: 'aapl',
      side: 'hold',
      type: 'market',
      quantity: '0',
      colour: 'red',
      'a/b~c': 1,
    },
    headers: freshKey(),
  });
  expect(status).toBe(400);
  expect(headers.get('content-type')).toBe(TYPE);
  expect(body).toMatchObject({ status: 400, code: 'validation_failed' });
  expect(body.type).toMatch(/^http:\/\/.+\/docs#validation_failed$/);
  expect(body.requestId).toBe(headers.get('x-request-id'));
  const pointers = body.errors.map(
    ({ pointer, code }: { pointer: string; code: string }) => `${pointer} ${code}`,
  );
  expect(pointers.sort()).toEqual([
    '/a~1b~0c unknown_field',
    '/colour unknown_field',
    '/quantity pattern',
    '/side enum',
    '/symbol pattern',
  ]);
});

describe('orders in every spelling', () => {
  let gateway: Gateway;
  let client: Client;
  let accepted = 0;
  beforeAll(async () => {
    gateway = await startGateway({ RATE_LIMIT_MAX: '0' }, afterFile);
    client = await gateway.client();
  });

  test.each<[string, Record<string, unknown>]>([
    ['quantity 0', { quantity: 0 }],
    ['a negative quantity', { quantity: '-1' }],
    ['seven decimals', { quantity: '1.0000001' }],
    ['a float', { quantity: 1.5 }],
    ['an exponent', { quantity: '1e3' }],
    ['a huge quantity', { quantity: '99999999999' }],
    ['a huge integer', { quantity: 1e15 }],
    ['a quantity of another type', { quantity: [3] }],
    ['null', { quantity: null }],
    ['a limit order without limit', { type: 'limit' }],
    ['a market order with limit', { limitPrice: '1' }],
    ['limit 0', { type: 'limit', limitPrice: '0.00' }],
    ['a lower-case symbol', { symbol: 'aapl' }],
    ['an over-long symbol', { symbol: 'ABCDEFG' }],
    ['an unknown side', { side: 'short' }],
    ['an unknown time in force', { timeInForce: 'forever' }],
    ['an unknown position type', { positionType: 'swap' }],
    ['an empty clientOrderId', { clientOrderId: '' }],
    ['a null byte', { clientOrderId: 'a\u0000b' }],
    ['an unknown member', { stopPrice: '1' }],
  ])('an order with %s is refused and nothing is kept', async (_, changes) => {
    const { status, body } = await client.call('POST', '/v1/orders', {
      body: order(changes),
      headers: freshKey(),
    });
    expect([status, body.code]).toEqual([400, 'validation_failed']);
    expect(body.errors.length).toBeGreaterThan(0);
    expect(await gateway.db.order.count()).toBe(accepted);
  });

  test.each<[string, Record<string, unknown>, Record<string, unknown>]>([
    ['an integer', { quantity: 3 }, { quantity: '3' }],
    ['trailing zeros', { quantity: '3.50' }, { quantity: '3.5' }],
    ['a fraction', { quantity: '0.000001' }, { quantity: '0.000001' }],
    ['a limit', { type: 'limit', limitPrice: '187.5' }, { limitPrice: '187.50' }],
    [
      'a class share',
      { symbol: 'BRK.B' },
      { symbol: 'BRK.B', status: 'accepted', timeInForce: 'day' },
    ],
  ])('an order with %s is accepted', async (_, changes, expected) => {
    const { status, headers, body } = await client.call('POST', '/v1/orders', {
      body: order(changes),
      headers: freshKey(),
    });
    expect(status).toBe(201);
    accepted += 1;
    expect(body).toMatchObject(expected);
    expect(headers.get('location')).toBe(`/v1/orders/${body.id}`);
    const { body: read } = await client.call('GET', `/v1/orders/${body.id}`);
    expect(read).toEqual({ ...body, fills: [] });
  });
});

test('malformed, oversized and foreign bodies get their own statuses', async () => {
  const gateway = await startGateway();
  const client = await gateway.client();
  const post = (body: string, type = 'application/json') =>
    client.call('POST', '/v1/tasks', { body, headers: { 'content-type': type } });
  const outcome = async (answer: Promise<{ status: number; body: { code: string } }>) => {
    const { status, body } = await answer;
    return [status, body.code];
  };
  expect(await outcome(post('{"title":'))).toEqual([400, 'malformed_json']);
  expect(await outcome(post(''))).toEqual([400, 'malformed_json']);
  expect(await outcome(post('{"__proto__":{"a":1},"title":"x"}'))).toEqual([400, 'malformed_json']);
  expect(await outcome(post('[]'))).toEqual([400, 'validation_failed']);
  expect(await outcome(post('null'))).toEqual([400, 'validation_failed']);
  expect(await outcome(post('title=x', 'application/x-www-form-urlencoded'))).toEqual([
    415,
    'unsupported_media_type',
  ]);
  expect(await outcome(post('x', 'text/plain'))).toEqual([415, 'unsupported_media_type']);
  expect(await outcome(post(`{"title":"${'x'.repeat(1_100_000)}"}`))).toEqual([
    413,
    'body_too_large',
  ]);
});

test('unknown paths are 404, known paths under another method 405 with Allow', async () => {
  const gateway = await startGateway();
  for (const path of ['/', '/v1', '/v1/nothing', '/v1/orders/a/b/c', '/%zz', '/v1/orders%00']) {
    const { status, headers, body } = await gateway.call('GET', path);
    expect([path, [400, 401, 404].includes(status)]).toEqual([path, true]);
    expect(headers.get('content-type')).toBe(TYPE);
    expect(body.requestId).toBe(headers.get('x-request-id'));
  }
  expect((await gateway.call('GET', '/v1/nothing')).body.code).toBe('route_not_found');
  const { status, headers, body } = await gateway.call('PUT', '/v1/orders');
  expect([status, body.code]).toEqual([405, 'method_not_allowed']);
  expect(headers.get('allow')).toBe('GET, HEAD, POST');
});

test('a sane X-Request-Id is taken, any other is replaced, on errors as well', async () => {
  const gateway = await startGateway();
  const id = 'abc-DEF_1.2';
  expect(
    (await gateway.call('GET', '/health', { headers: { 'x-request-id': id } })).headers.get(
      'x-request-id',
    ),
  ).toBe(id);
  expect(
    (await gateway.call('GET', '/none', { headers: { 'x-request-id': id } })).body.requestId,
  ).toBe(id);
  for (const bad of ['', 'a b', 'x'.repeat(129), 'a"b']) {
    const { headers } = await gateway.call('GET', '/health', { headers: { 'x-request-id': bad } });
    expect(headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
  }
});

test('the request id is on the job that the request caused', async () => {
  const gateway = await startGateway();
  const client = await gateway.client();
  await client.call('POST', '/v1/orders', {
    body: order(),
    headers: { ...freshKey(), 'x-request-id': 'trace-me' },
  });
  expect((await gateway.db.job.findMany()).map(({ requestId }) => requestId)).toEqual(['trace-me']);
});

test('lists are paged newest first, and stay stable when rows are added', async () => {
  const gateway = await startGateway();
  const client = await gateway.client();
  const ids: string[] = [];
  for (let index = 0; index < 5; index += 1) {
    ids.unshift(
      (await client.call('POST', '/v1/tasks', { body: { title: `task ${index}` } })).body.id,
    );
  }
  const first = (await client.call('GET', '/v1/tasks?limit=2')).body;
  expect(first).toMatchObject({ hasMore: true, nextCursor: ids[1] });
  await client.call('POST', '/v1/tasks', { body: { title: 'later' } });
  const second = (await client.call('GET', `/v1/tasks?limit=2&cursor=${first.nextCursor}`)).body;
  const third = (await client.call('GET', `/v1/tasks?limit=2&cursor=${second.nextCursor}`)).body;
  expect(third).toMatchObject({ hasMore: false, nextCursor: null });
  expect(
    [first, second, third].flatMap(({ data }) => data.map(({ id }: { id: string }) => id)),
  ).toEqual(ids);
  for (const query of ['limit=0', 'limit=101', 'limit=x', 'cursor=x', 'sort=up', 'status=LATE']) {
    expect([query, (await client.call('GET', `/v1/tasks?${query}`)).status]).toEqual([query, 400]);
  }
});

test('a single resource has an ETag: If-None-Match spares the body, If-Match guards a change', async () => {
  const gateway = await startGateway();
  const client = await gateway.client();
  const { body: task } = await client.call('POST', '/v1/tasks', { body: { title: 'a' } });
  const path = `/v1/tasks/${task.id}`;
  const tag = (await client.call('GET', path)).headers.get('etag') ?? '';
  const unchanged = await client.call('GET', path, {
    headers: { 'if-none-match': `"x", W/${tag}` },
  });
  expect([unchanged.status, unchanged.text]).toEqual([304, '']);
  const changed = await client.call('PATCH', path, {
    body: { title: 'b' },
    headers: { 'if-match': tag },
  });
  expect(changed.status).toBe(200);
  const next = changed.headers.get('etag') ?? '';
  expect(next).not.toBe(tag);
  for (const [method, body] of [
    ['PATCH', { title: 'c' }],
    ['DELETE', undefined],
  ] as const) {
    const stale = await client.call(method, path, { body, headers: { 'if-match': tag } });
    expect([stale.status, stale.body.code]).toEqual([412, 'precondition_failed']);
  }
  expect((await client.call('GET', path, { headers: { 'if-none-match': tag } })).body.title).toBe(
    'b',
  );
  expect((await client.call('DELETE', path, { headers: { 'if-match': next } })).status).toBe(204);
  expect((await client.call('GET', path)).status).toBe(404);
  for (const resource of ['/v1/account', '/v1/quotes/AAPL']) {
    expect((await client.call('GET', resource)).headers.get('etag')).toMatch(/^".+"$/);
  }
});

test('security headers are on every answer, and no header tells what the server is made of', async () => {
  const gateway = await startGateway();
  for (const path of ['/health', '/none', '/docs/']) {
    const { headers } = await gateway.call('GET', path);
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('content-security-policy')).toContain("default-src 'self'");
    expect(headers.get('x-powered-by')).toBeNull();
  }
});
