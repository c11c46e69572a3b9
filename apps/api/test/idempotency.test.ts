import { expect, test } from 'vitest';
import { freshKey, order, startGateway } from './harness.ts';

test('case 1 and 2: a retry replays status, body and Location, and has no second effect', async () => {
  const gateway = await startGateway();
  const client = await gateway.client();
  const headers = freshKey();
  const first = await client.call('POST', '/v1/orders', { body: order(), headers });
  expect(first.status).toBe(201);
  expect(first.headers.get('idempotent-replayed')).toBeNull();

  const second = await client.call('POST', '/v1/orders', { body: order(), headers });
  expect(second.status).toBe(201);
  expect(second.text).toBe(first.text);
  expect(second.headers.get('idempotent-replayed')).toBe('true');
  for (const name of ['content-type', 'location']) {
    expect(second.headers.get(name)).toBe(first.headers.get(name));
    expect(first.headers.get(name)).not.toBeNull();
  }
  expect(second.headers.get('x-request-id')).not.toBe(first.headers.get('x-request-id'));
  expect(second.headers.get('ratelimit')).not.toBe(first.headers.get('ratelimit'));
  expect(second.headers.get('set-cookie')).toBeNull();
  expect(await gateway.db.order.count()).toBe(1);
  expect(await gateway.db.job.count()).toBe(1);
});

test('case 3: of 50 at once on two replicas exactly one runs, the others replay or are told to wait', async () => {
  const gateway = await startGateway();
  const replica = await gateway.replica();
  const client = await gateway.client();
  const headers = { ...freshKey(), authorization: `Bearer ${client.token}` };
  const answers = await Promise.all(
    Array.from({ length: 50 }, (_, index) =>
      (index % 2 === 0 ? gateway : replica).call('POST', '/v1/orders', { body: order(), headers }),
    ),
  );
  const ran = answers.filter(
    ({ status, headers: h }) => status === 201 && !h.has('idempotent-replayed'),
  );
  const replayed = answers.filter(({ headers: h }) => h.get('idempotent-replayed') === 'true');
  const refused = answers.filter(({ status }) => status === 409);
  expect(ran).toHaveLength(1);
  expect(replayed.length + refused.length).toBe(49);
  for (const { text } of replayed) expect(text).toBe(ran[0]?.text);
  for (const { body, headers: h } of refused) {
    expect(body.code).toBe('idempotency_key_in_use');
    expect(Number(h.get('retry-after'))).toBeGreaterThan(0);
  }
  expect(await gateway.db.order.count()).toBe(1);
});

test.each([
  ['payload', '/v1/orders', order({ quantity: '4' })],
  ['path and payload', '/v1/tasks', { title: 'Buy milk' }],
])(
  'case 4: the same key with another %s is refused, the first answer stays',
  async (_, path, body) => {
    const gateway = await startGateway();
    const client = await gateway.client();
    const headers = freshKey();
    const first = await client.call('POST', '/v1/orders', { body: order(), headers });
    const other = await client.call('POST', path, { body, headers });
    expect(other.status).toBe(422);
    expect(other.body.code).toBe('idempotency_key_reused');
    const again = await client.call('POST', '/v1/orders', { body: order(), headers });
    expect(again.text).toBe(first.text);
    expect(await gateway.db.task.count()).toBe(0);
  },
);

test('case 4: another method on the same path is another request', async () => {
  const gateway = await startGateway();
  const client = await gateway.client();
  const created = await client.call('POST', '/v1/tasks', { body: { title: 'a' } });
  const path = `/v1/tasks/${created.body.id}`;
  const headers = freshKey();
  await client.call('PATCH', path, { body: { title: 'b' }, headers });
  const other = await client.call('POST', '/v1/tasks', { body: { title: 'b' }, headers });
  expect(other.status).toBe(422);
});

test('case 4: also while the first runs', async () => {
  const gateway = await startGateway();
  const client = await gateway.client();
  const headers = freshKey();
  const answers = await Promise.all(
    Array.from({ length: 20 }, (_, index) =>
      client.call('POST', '/v1/orders', {
        body: order({ quantity: String(1 + (index % 2)) }),
        headers,
      }),
    ),
  );
  expect(
    answers.map(({ status }) => status).filter((status) => status === 422).length,
  ).toBeGreaterThanOrEqual(9);
  expect(await gateway.db.order.count()).toBe(1);
});

test('case 5: member order, white space, defaults and 3 against "3" do not matter', async () => {
  const gateway = await startGateway();
  const client = await gateway.client();
  const headers = freshKey();
  const first = await client.call('POST', '/v1/orders', {
    body: '{"symbol":"AAPL","side":"buy","type":"limit","quantity":"3","limitPrice":"187.50"}',
    headers,
  });
  expect(first.status).toBe(201);
  const second = await client.call('POST', '/v1/orders', {
    body: '{ "limitPrice": "187.5",\n "quantity": 3, "type":"limit", "timeInForce": "day", "side":"buy", "symbol":"AAPL" }',
    headers,
  });
  expect(second.headers.get('idempotent-replayed')).toBe('true');
  expect(second.text).toBe(first.text);
});

test('case 6: keys belong to the account, not to the token', async () => {
  const gateway = await startGateway();
  const [ada, bob] = [await gateway.client(), await gateway.client()];
  const headers = freshKey();
  const first = await ada.call('POST', '/v1/orders', { body: order(), headers });
  const other = await bob.call('POST', '/v1/orders', { body: order(), headers });
  expect(other.status).toBe(201);
  expect(other.headers.get('idempotent-replayed')).toBeNull();
  expect(other.body.id).not.toBe(first.body.id);

  const made = await ada.call('POST', '/v1/api-keys', { body: { name: 'other credential' } });
  const again = await gateway.call('POST', '/v1/orders', {
    body: order(),
    headers: { ...headers, authorization: `Bearer ${made.body.key}` },
  });
  expect(again.text).toBe(first.text);
});

test('case 7: a key is required, and must be one sane header', async () => {
  const gateway = await startGateway();
  const client = await gateway.client();
  const missing = await client.call('POST', '/v1/orders', { body: order() });
  expect([missing.status, missing.body.code]).toEqual([400, 'idempotency_key_required']);
  for (const key of ['', '""', 'x'.repeat(256), 'caf\u00e9', 'a\tb']) {
    const { status, body } = await client.call('POST', '/v1/orders', {
      body: order(),
      headers: { 'idempotency-key': key },
    });
    expect([key, status, body.code]).toEqual([key, 400, 'idempotency_key_invalid']);
  }
  const twice = await client.call('POST', '/v1/orders', {
    body: order(),
    headers: { 'idempotency-key': 'a', 'x-idempotency-key': 'a' },
  });
  expect(twice.body.code).toBe('idempotency_key_invalid');
  expect(await gateway.db.order.count()).toBe(0);
});

test('case 7: bare, quoted and alias are the same key', async () => {
  const gateway = await startGateway();
  const client = await gateway.client();
  const ids = new Set<string>();
  for (const headers of [
    { 'idempotency-key': 'one' },
    { 'idempotency-key': '"one"' },
    { 'x-idempotency-key': 'one' },
  ]) {
    ids.add((await client.call('POST', '/v1/orders', { body: order(), headers })).body.id);
  }
  expect(ids.size).toBe(1);
});

test('case 8: a refused request leaves the key unused, a business error is the answer', async () => {
  const gateway = await startGateway();
  const client = await gateway.client();
  const headers = freshKey();
  const invalid = await client.call('POST', '/v1/orders', {
    body: order({ quantity: '0' }),
    headers,
  });
  expect(invalid.status).toBe(400);
  const valid = await client.call('POST', '/v1/orders', {
    body: order({ clientOrderId: 'c1' }),
    headers,
  });
  expect(valid.status).toBe(201);

  const taken = freshKey();
  const first = await client.call('POST', '/v1/orders', {
    body: order({ clientOrderId: 'c1' }),
    headers: taken,
  });
  expect([first.status, first.body.code]).toEqual([409, 'client_order_id_taken']);
  const second = await client.call('POST', '/v1/orders', {
    body: order({ clientOrderId: 'c1' }),
    headers: taken,
  });
  expect([second.status, second.text]).toEqual([409, first.text]);
  expect(second.headers.get('content-type')).toBe(first.headers.get('content-type'));
  expect(second.headers.get('idempotent-replayed')).toBe('true');
  expect(await gateway.db.order.count()).toBe(1);
});

test('case 11: without what Redis knew, Postgres replays, on every kind of keyed route', async () => {
  const gateway = await startGateway();
  const client = await gateway.client();
  const requests = [
    ['POST', '/v1/orders', order()],
    ['POST', '/v1/tasks', { title: 'a' }],
    ['POST', '/v1/api-keys', { name: 'k' }],
  ] as const;
  for (const [method, path, body] of requests) {
    const headers = freshKey();
    const first = await client.call(method, path, { body, headers });
    expect(first.status).toBe(201);
    await gateway.app.redis.flushdb();
    const second = await client.call(method, path, { body, headers });
    expect([second.status, second.text]).toEqual([201, first.text]);
    expect(second.headers.get('idempotent-replayed')).toBe('true');
    // Redis has been told of it again.
    const third = await client.call(method, path, { body, headers });
    expect([third.status, third.text]).toEqual([201, first.text]);
    await gateway.app.redis.flushdb();
    const other = await client.call(method, path, {
      body: {
        ...body,
        ...(path === '/v1/orders'
          ? { quantity: '9' }
          : path === '/v1/tasks'
            ? { title: 'b' }
            : { name: 'l' }),
      },
      headers,
    });
    expect(other.status).toBe(422);
  }
  expect(await gateway.db.order.count()).toBe(1);
  expect(await gateway.db.task.count()).toBe(1);
});

test('a secret in an answer is not readable where the answer is kept', async () => {
  const gateway = await startGateway();
  const client = await gateway.client();
  const { body } = await client.call('POST', '/v1/api-keys', {
    body: { name: 'k' },
    headers: freshKey(),
  });
  const [record] = await gateway.db.idempotencyRecord.findMany();
  expect(record?.body).not.toContain(body.key);
  const [cached] = await gateway.app.redis.keys('gatehouse:idempotency:*');
  expect(JSON.stringify(await gateway.app.redis.hgetall(cached ?? ''))).not.toContain(body.key);
});

test('case 12: after a day the key is new, the clientOrderId is not', async () => {
  const gateway = await startGateway();
  const client = await gateway.client();
  const headers = freshKey();
  const first = await client.call('POST', '/v1/orders', { body: order(), headers });
  const [cached] = await gateway.app.redis.keys('gatehouse:idempotency:*');
  const lifetime = await gateway.app.redis.pttl(cached ?? '');
  expect(lifetime).toBeGreaterThan(24 * 3_600_000 - 60_000);
  expect(lifetime).toBeLessThanOrEqual(24 * 3_600_000);

  await gateway.app.redis.flushdb();
  await gateway.db.idempotencyRecord.updateMany({
    data: { createdAt: new Date(Date.now() - 24 * 3_600_000 - 1_000) },
  });
  const second = await client.call('POST', '/v1/orders', {
    body: order({ quantity: '5' }),
    headers,
  });
  expect(second.status).toBe(201);
  expect(second.body.id).not.toBe(first.body.id);
  expect(second.headers.get('idempotent-replayed')).toBeNull();
  const third = await client.call('POST', '/v1/orders', {
    body: order({ quantity: '5' }),
    headers,
  });
  expect(third.text).toBe(second.text);
});

test('case 13: a hundred identical orders under a hundred keys are a hundred orders', async () => {
  const gateway = await startGateway();
  const client = await gateway.client();
  const answers = await Promise.all(
    Array.from({ length: 100 }, () =>
      client.call('POST', '/v1/orders', { body: order(), headers: freshKey() }),
    ),
  );
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([201]));
  expect(new Set(answers.map(({ body }) => body.id)).size).toBe(100);
  expect(await gateway.db.order.count()).toBe(100);
  expect(await gateway.db.job.count()).toBe(100);
});
