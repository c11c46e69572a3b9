import { until } from '@gatehouse/testing/condition';
import { expect, test } from 'vitest';
import { startWebhookStack, type WebhookStack } from './webhooks.ts';
import { spawnWorker } from './worker-process.ts';

const COUNT = 300;

/** Each event was received, under its own id and at least once, and its attempt is written down. */
async function expectAllDelivered({ db, receiver }: WebhookStack, ids: readonly string[]) {
  const received = receiver.received().map(({ headers }) => headers['webhook-id']);
  expect([...new Set(received)].sort()).toEqual([...ids].sort());
  expect(await db.webhookDelivery.count({ where: { status: 'succeeded' } })).toBe(ids.length);
  expect(await db.webhookAttempt.count()).toBeGreaterThanOrEqual(ids.length);
  expect(received.length).toBeGreaterThanOrEqual(await db.webhookAttempt.count());
}

test('a worker that is killed during a run loses nothing', { timeout: 90_000 }, async () => {
  const stack = await startWebhookStack();
  const { db, receiver, environment, createEndpoint, owe, allSettled } = stack;
  const endpoints = await Promise.all([
    createEndpoint('/a'),
    createEndpoint('/b', { ordered: true }),
  ]);
  for (const path of ['/a', '/b']) receiver.answer(path, { status: 200, afterMs: 10 });
  const ids = [...(await owe(endpoints[0], COUNT)), ...(await owe(endpoints[1], 60))];
  const first = await spawnWorker(environment);
  await until(() => receiver.received('/a').length > 50 && receiver.received('/b').length > 5, {
    what: 'the runs to be under way',
  });
  await first.end('SIGKILL');
  expect(await db.webhookDelivery.count({ where: { status: 'pending' } })).toBeGreaterThan(0);
  await spawnWorker(environment);
  await allSettled(60_000);
  await expectAllDelivered(stack, ids);
  const heard = receiver.received('/b').map(({ body }) => JSON.parse(body.toString()).sequence);
  expect([...new Set(heard)]).toEqual(Array.from({ length: 60 }, (_, index) => index + 1));
  // What was not written down comes again, in the same order.
  const again = heard.filter((sequence, index) => heard.indexOf(sequence) !== index);
  expect(again).toEqual(again.toSorted((one, other) => one - other));
});

test('a Redis that loses everything during a run loses nothing', { timeout: 90_000 }, async () => {
  const stack = await startWebhookStack();
  const { redis, receiver, createEndpoint, owe, startWorker, allSettled } = stack;
  const endpoint = await createEndpoint('/a');
  receiver.answer('/a', { status: 200, afterMs: 20 });
  await startWorker();
  const ids = await owe(endpoint, COUNT);
  await until(() => receiver.received().length > 50, { what: 'the run to be under way' });
  await redis.flushdb();
  ids.push(...(await owe(endpoint, 20)));
  await allSettled(60_000);
  await expectAllDelivered(stack, ids);
});

test('a worker that is told to end cuts off what hangs, which is no failure of the receiver', {
  timeout: 60_000,
}, async () => {
  const stack = await startWebhookStack({ SHUTDOWN_DEADLINE_SECONDS: '3' });
  const { db, receiver, environment, createEndpoint, owe, deliveryOf, allSettled } = stack;
  const endpoint = await createEndpoint('/a');
  receiver.answer('/a', 'hang');
  const [eventId = ''] = await owe(endpoint);
  const worker = await spawnWorker(environment);
  await until(() => receiver.received().length === 1, { what: 'the request' });
  const { code } = await worker.end('SIGTERM');
  expect(code).toBe(0);
  expect(await db.webhookAttempt.count()).toBe(0);
  expect(await deliveryOf(endpoint, eventId)).toMatchObject({ status: 'pending', attempts: 0 });

  receiver.answer('/a', 'ok');
  await spawnWorker(environment);
  await allSettled(30_000);
  expect(await deliveryOf(endpoint, eventId)).toMatchObject({ status: 'succeeded', attempts: 1 });
});
