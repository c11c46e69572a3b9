import { until } from '@gatehouse/testing/condition';
import { expect, test } from 'vitest';
import { attempted, startWebhookStack, type TestEndpoint, type WebhookStack } from './webhooks.ts';

const DAY_MS = 86_400_000;

const readEndpoint = ({ db }: WebhookStack, { id }: TestEndpoint) =>
  db.webhookEndpoint.findUniqueOrThrow({ where: { id } });

test.each([429, 503])(
  'a Retry-After of a %s pauses the whole endpoint until then',
  async (status) => {
    const stack = await startWebhookStack();
    const { db, receiver, createEndpoint, owe, startWorker, allSettled } = stack;
    const endpoint = await createEndpoint('/a');
    receiver.answer('/a', { status, headers: { 'retry-after': '600' } });
    const before = Date.now();
    await owe(endpoint, 20);
    await startWorker();
    const { pausedUntil } = await until(
      async () => {
        const read = await readEndpoint(stack, endpoint);
        return read.pausedUntil !== null && read;
      },
      { what: 'the pause' },
    );
    const pausedMs = Number(pausedUntil) - before;
    expect(pausedMs).toBeGreaterThan(599_000);
    expect(pausedMs).toBeLessThan(620_000);
    const job = await until(() => db.job.findFirst({ where: { state: 'waiting' } }), {
      what: 'the next run to be owed',
    });
    // Then, and not before, even though the others are due.
    expect(Math.abs(Number(job.runAt) - Number(pausedUntil))).toBeLessThan(5_000);
    expect(receiver.received('/a')).toHaveLength(1);
    expect(await db.webhookDelivery.count({ where: { nextAttemptAt: { lt: new Date() } } })).toBe(
      19,
    );

    receiver.answer('/a', 'ok');
    await stack.makeDue(endpoint);
    await allSettled();
    expect(await db.webhookDelivery.count({ where: { status: 'succeeded' } })).toBe(20);
    expect(await readEndpoint(stack, endpoint)).toMatchObject({ failures: 0, failingSince: null });
  },
);

test('after five failures in a row an endpoint is left alone, and probed with one request', async () => {
  const stack = await startWebhookStack();
  const { db, receiver, createEndpoint, owe, startWorker, allSettled } = stack;
  const endpoint = await createEndpoint('/a');
  receiver.answer('/a', { status: 500 });
  await owe(endpoint, 40);
  await startWorker();
  await until(async () => (await db.job.count({ where: { state: 'waiting' } })) === 1, {
    what: 'the breaker to open',
  });
  expect(receiver.received('/a')).toHaveLength(5);
  const { failures, pausedUntil, failingSince } = await readEndpoint(stack, endpoint);
  expect(failures).toBe(5);
  const pausedMs = Number(pausedUntil) - Number(failingSince);
  expect(pausedMs).toBeGreaterThanOrEqual(5_000);

  // It is longer each time, up to a minute.
  await db.webhookEndpoint.updateMany({ data: { failingSince: new Date(Date.now() - 20_000) } });
  await stack.makeDue(endpoint);
  await until(async () => (await readEndpoint(stack, endpoint)).failures === 6, {
    what: 'a probe',
  });
  const second = Number((await readEndpoint(stack, endpoint)).pausedUntil) - Date.now();
  expect(second).toBeGreaterThan(15_000);
  expect(second).toBeLessThan(60_000);
  expect(receiver.received('/a')).toHaveLength(6);

  receiver.answer('/a', 'ok');
  await stack.makeDue(endpoint);
  await allSettled();
  expect(await db.webhookDelivery.count({ where: { status: 'succeeded' } })).toBe(40);
  expect(await readEndpoint(stack, endpoint)).toMatchObject({ failures: 0, failingSince: null });
});

test('an endpoint that answers 410 is disabled at once, and its owner is told by mail and by an event', async () => {
  const stack = await startWebhookStack();
  const { db, smtp, receiver, createEndpoint, owe, deliveryOf, startWorker, allSettled } = stack;
  const endpoint = await createEndpoint('/a');
  receiver.answer('/a', { status: 410 });
  const [eventId = ''] = await owe(endpoint, 5);
  await startWorker();
  await allSettled();
  expect(receiver.received('/a')).toHaveLength(1);
  expect(await readEndpoint(stack, endpoint)).toMatchObject({ disabledReason: 'gone' });
  // What it was owed waits for it.
  expect(await db.webhookDelivery.count({ where: { status: 'pending' } })).toBe(5);
  expect((await deliveryOf(endpoint, eventId)).history).toMatchObject([{ error: 'answered 410' }]);
  expect(await db.event.count({ where: { type: 'webhook_endpoint.disabled' } })).toBe(1);
  expect(smtp.recipients).toEqual([endpoint.email]);
  expect(smtp.received[0]?.text).toContain(endpoint.id);
});

test('an answer that comes after its URL was changed disables and pauses nothing', async () => {
  const stack = await startWebhookStack();
  const { db, smtp, receiver, createEndpoint, owe, deliveryOf, startWorker } = stack;
  const endpoint = await createEndpoint('/old');
  const change = async () => {
    await db.webhookEndpoint.updateMany({ data: { url: receiver.url('/new') } });
  };
  let changed = Promise.resolve();
  receiver.answer('/old', () => {
    changed = change();
    return { status: 410, headers: { 'retry-after': '600' }, afterMs: 500 };
  });
  const [eventId = ''] = await owe(endpoint);
  await startWorker();
  const { history } = await attempted(() => deliveryOf(endpoint, eventId));
  await changed;
  expect(history).toMatchObject([{ statusCode: 410 }]);
  await until(async () => (await db.job.count({ where: { state: 'waiting' } })) === 1, {
    what: 'the run to end',
  });
  expect(await readEndpoint(stack, endpoint)).toMatchObject({
    ...{ disabledReason: null, failures: 0, failingSince: null, pausedUntil: null },
  });
  await stack.makeDue(endpoint);
  await stack.allSettled();
  expect(receiver.received('/new')).toHaveLength(1);
  expect(smtp.received).toEqual([]);
});

test.each([
  ['for more than five days', 5 * DAY_MS + 60_000, 'failing'],
  ['for less', 5 * DAY_MS - 60_000, null],
] as const)('an endpoint that has only failed %s', async (_name, failingForMs, reason) => {
  const stack = await startWebhookStack();
  const { db, smtp, receiver, createEndpoint, owe, deliveryOf, startWorker } = stack;
  const failingSince = new Date(Date.now() - failingForMs);
  const endpoint = await createEndpoint('/a', { failures: 9, failingSince });
  receiver.answer('/a', { status: 500 });
  const [eventId = ''] = await owe(endpoint);
  await startWorker();
  await until(
    async () =>
      (await deliveryOf(endpoint, eventId)).attempts === 1 &&
      (await db.job.count({ where: { state: 'dispatched' } })) === 0,
    { what: 'the attempt and what follows' },
  );
  expect(await readEndpoint(stack, endpoint)).toMatchObject({
    ...{ disabledReason: reason, failures: 10, failingSince },
  });
  expect(smtp.received).toHaveLength(reason === null ? 0 : 1);
});

test('one success among failures keeps an endpoint', async () => {
  const stack = await startWebhookStack();
  const { db, receiver, createEndpoint, owe, startWorker } = stack;
  const failingSince = new Date(Date.now() - 6 * DAY_MS);
  const endpoint = await createEndpoint('/a', { failures: 3, failingSince });
  const [first = ''] = await owe(endpoint, 3);
  receiver.answer('/a', ({ headers }) => ({ status: headers['webhook-id'] === first ? 200 : 500 }));
  await startWorker();
  await until(async () => (await db.webhookAttempt.count()) === 3, { what: 'three attempts' });
  const read = await readEndpoint(stack, endpoint);
  expect(read).toMatchObject({ disabledReason: null, failures: 2 });
  expect(Date.now() - Number(read.failingSince)).toBeLessThan(60_000);
});
