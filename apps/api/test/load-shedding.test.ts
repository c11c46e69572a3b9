import { until } from '@gatehouse/testing/condition';
import { expect, onTestFinished, test } from 'vitest';
import { freshKey, type Gateway, order, type Reply, startGateway } from './harness.ts';
import { openRaw, rawAnswers } from './raw-http.ts';

function expectTurnedAway({ status, headers, body }: Reply): void {
  expect([status, body.code]).toEqual([503, 'overloaded']);
  expect(headers.get('content-type')).toMatch(/^application\/problem\+json/);
  expect(Number(headers.get('retry-after'))).toBeGreaterThan(0);
  expect(body.requestId).toBe(headers.get('x-request-id'));
  expect(headers.get('x-content-type-options')).toBe('nosniff');
}

/** Has no order be written until `release`; resolves when that is so. */
async function holdOrders({ db }: Gateway) {
  const { promise: released, resolve: release } = Promise.withResolvers<void>();
  const { promise: isHeld, resolve: held } = Promise.withResolvers<void>();
  const transaction = db.$transaction(
    async (tx) => {
      await tx.$executeRaw`LOCK TABLE "order" IN EXCLUSIVE MODE`;
      held();
      await released;
    },
    { timeout: 60_000 },
  );
  onTestFinished(async () => {
    release();
    await transaction;
  });
  await isHeld;
  return async () => {
    release();
    await transaction;
  };
}

/** Resolves once so many orders are in the making. */
async function claims({ app }: Gateway, count: number): Promise<void> {
  await until(async () => (await app.redis.keys('gatehouse:idempotency:*')).length === count, {
    what: `${count} orders to be in the making`,
  });
}

test('beyond the bound requests are turned away at once, and those that were taken are answered', async () => {
  const gateway = await startGateway({ MAX_REQUESTS_IN_FLIGHT: '5' });
  const client = await gateway.client();
  const release = await holdOrders(gateway);
  const keys = Array.from({ length: 9 }, freshKey);
  const place = (headers: Record<string, string>) =>
    client.call('POST', '/v1/orders', { body: order(), headers });
  const taken = Promise.all(keys.slice(0, 5).map(place));
  await claims(gateway, 5);

  const turnedAway = await Promise.all(keys.slice(5).map(place));
  for (const reply of turnedAway) expectTurnedAway(reply);
  // Before anything is asked about it: neither its path nor its credentials.
  expectTurnedAway(await gateway.call('GET', '/v1/orders'));
  expectTurnedAway(await gateway.call('GET', '/v1/nothing'));
  for (const path of ['/health', '/ready']) {
    expect([path, (await gateway.call('GET', path)).status]).toEqual([path, 200]);
  }

  await release();
  expect((await taken).map(({ status }) => status)).toEqual(Array(5).fill(201));
  expect(await gateway.db.order.count()).toBe(5);
  expect(await gateway.db.idempotencyRecord.count()).toBe(5);
  // The keys of those that were turned away are as good as new.
  const again = await Promise.all(keys.slice(5).map(place));
  expect(again.map(({ status }) => status)).toEqual(Array(4).fill(201));
  expect(again.map(({ headers }) => headers.get('idempotent-replayed'))).toEqual(
    Array(4).fill(null),
  );
});

test('of many that found room no more are taken than there is, whenever their bodies come', async () => {
  const gateway = await startGateway({ MAX_REQUESTS_IN_FLIGHT: '5' });
  const { token } = await gateway.client();
  const release = await holdOrders(gateway);
  let begun = 0;
  gateway.app.server.on('request', () => (begun += 1));
  const json = JSON.stringify(order());
  const connections = Array.from({ length: 20 }, () => {
    const connection = openRaw(gateway.url);
    const head = {
      Host: 'gateway',
      Authorization: `Bearer ${token}`,
      'Content-Type': 'application/json',
      'Content-Length': json.length,
      ...freshKey(),
    };
    const lines = Object.entries(head).map(([name, value]) => `${name}: ${value}\r\n`);
    connection.send(`POST /v1/orders HTTP/1.1\r\n${lines.join('')}\r\n`);
    return connection;
  });
  await until(() => begun === 20, { what: 'all to have begun' });
  for (const { send } of connections) send(json);
  const answers = () => connections.flatMap(({ received }) => rawAnswers(received()));
  await until(() => answers().length === 15, { what: 'fifteen to be turned away' });
  expect(answers().map(({ status, body }) => [status, body.code])).toEqual(
    Array(15).fill([503, 'overloaded']),
  );
  await release();
  await until(() => answers().length === 20, { what: 'the others to be answered' });
  expect(answers().filter(({ status }) => status === 201)).toHaveLength(5);
  expect(await gateway.db.order.count()).toBe(5);
});

test('a client that goes away frees no room while his request is in the making', async () => {
  const gateway = await startGateway({ MAX_REQUESTS_IN_FLIGHT: '2' });
  const client = await gateway.client();
  const release = await holdOrders(gateway);
  let closed = 0;
  gateway.app.server.on('request', ({ method }, response) => {
    response.once('close', () => {
      if (method === 'POST') closed += 1;
    });
  });
  const impatience = new AbortController();
  const gone = Array.from({ length: 2 }, () =>
    fetch(`${gateway.url}/v1/orders`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${client.token}`,
        'content-type': 'application/json',
        ...freshKey(),
      },
      body: JSON.stringify(order()),
      signal: impatience.signal,
    }),
  );
  await claims(gateway, 2);
  impatience.abort();
  expect((await Promise.allSettled(gone)).map(({ status }) => status)).toEqual([
    'rejected',
    'rejected',
  ]);
  await until(() => closed === 2, { what: 'the gateway to see them gone' });
  expectTurnedAway(await client.call('GET', '/v1/orders'));
  await release();
  await until(async () => (await client.call('GET', '/v1/orders')).status === 200, {
    what: 'the room to be free again',
  });
  // Both places, and each once.
  const both = await Promise.all([1, 2].map(() => client.call('GET', '/v1/orders')));
  expect(both.map(({ status }) => status)).toEqual([200, 200]);
  expect(await gateway.db.order.count()).toBe(2);
});

test('MAX_REQUESTS_IN_FLIGHT=0 is no bound', async () => {
  const gateway = await startGateway({ MAX_REQUESTS_IN_FLIGHT: '0' });
  const client = await gateway.client();
  const release = await holdOrders(gateway);
  const orders = Array.from({ length: 30 }, () =>
    client.call('POST', '/v1/orders', { body: order(), headers: freshKey() }),
  );
  await claims(gateway, 30);
  await release();
  expect((await Promise.all(orders)).map(({ status }) => status)).toEqual(Array(30).fill(201));
});

test('while the event loop is late requests are turned away, health is not, and then all goes on', async () => {
  const unbound = await startGateway();
  const { token } = await unbound.client();
  // Later than a busy machine is by itself.
  const gateway = await unbound.replica({ MAX_EVENT_LOOP_DELAY_MS: '250' });
  const place = () =>
    gateway.call('POST', '/v1/orders', {
      body: order(),
      headers: { authorization: `Bearer ${token}`, ...freshKey() },
    });
  await until(async () => (await place()).status === 201, { what: 'an order to be taken' });

  const hog = setInterval(() => {
    const end = performance.now() + 400;
    while (performance.now() < end) Math.random();
  }, 1);
  onTestFinished(() => clearInterval(hog));
  const late = await until(
    async () => {
      const reply = await place();
      return reply.status === 503 && reply;
    },
    { what: 'an order to be turned away', timeoutMs: 30_000 },
  );
  expectTurnedAway(late);
  expect((await gateway.call('GET', '/health')).status).toBe(200);
  // Some need a new connection, which takes several turns of the loop.
  const ready = await Promise.all(Array.from({ length: 3 }, () => gateway.call('GET', '/ready')));
  expect(ready.map(({ status }) => status)).toEqual(Array(3).fill(200));
  const accepted = await gateway.db.order.count();
  expectTurnedAway(await place());
  expect(await gateway.db.order.count()).toBe(accepted);

  clearInterval(hog);
  await until(async () => (await place()).status === 201, {
    what: 'orders to be taken again',
    timeoutMs: 30_000,
  });
});
