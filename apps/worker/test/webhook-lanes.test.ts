import { transaction } from '@gatehouse/db/transaction';
import { disableEndpoint } from '@gatehouse/db/webhook-endpoint-states';
import { until } from '@gatehouse/testing/condition';
import { expect, test } from 'vitest';
import { startWebhookStack, type TestEndpoint, type WebhookStack } from './webhooks.ts';

const idsOf = ({ receiver }: WebhookStack, path: string) =>
  receiver.received(path).map(({ headers }) => headers['webhook-id']);

const succeeded = ({ db }: WebhookStack, { id: endpointId }: TestEndpoint) =>
  db.webhookDelivery.count({ where: { endpointId, status: 'succeeded' } });

test('receivers that hang or dawdle time out, and delay no other', {
  timeout: 60_000,
}, async () => {
  const stack = await startWebhookStack();
  const { db, receiver, createEndpoint, owe, deliveryOf, startWorker } = stack;
  const hanging = await createEndpoint('/hanging');
  const slow = await createEndpoint('/slow');
  const healthy = await createEndpoint('/healthy');
  receiver.answer('/hanging', 'hang');
  receiver.answer('/slow', 'slow');
  const [hung = ''] = await owe(hanging, 30);
  const [dawdled = ''] = await owe(slow);
  await startWorker();
  await until(
    () => receiver.received('/hanging').length > 0 && receiver.received('/slow').length > 0,
    {
      what: 'the slow ones to be asked',
    },
  );
  // Few: all of them within the time that the others have.
  for (let round = 0; round < 2; round += 1) await owe(healthy, 10);
  await until(async () => (await succeeded(stack, healthy)) === 20, {
    what: 'the healthy one to hear everything',
  });
  // Nobody has given up on the others yet.
  expect(await db.webhookAttempt.count({ where: { error: { not: null } } })).toBe(0);

  const ended = await until(
    async () => {
      const both = [await deliveryOf(hanging, hung), await deliveryOf(slow, dawdled)];
      return both.every(({ history }) => history.length === 1) && both;
    },
    { what: 'the slow ones to time out', timeoutMs: 40_000 },
  );
  // Its status came in time, whatever comes of the rest.
  expect(ended).toMatchObject([
    { status: 'pending', history: [{ statusCode: null, error: 'timed out' }] },
    { status: 'succeeded', history: [{ statusCode: 200, error: null }] },
  ]);
  for (const { history } of ended) expect(history[0]?.durationMs).toBeGreaterThanOrEqual(15_000);
  expect(ended[1]?.history[0]?.responseBody).toMatch(/^[.]+$/);
  // One request was enough to leave it alone, though others are due.
  const job = await until(
    () => db.job.findFirst({ where: { subjectId: hanging.id, state: 'waiting' } }),
    { what: 'the run to end' },
  );
  expect(receiver.received('/hanging')).toHaveLength(1);
  const { pausedUntil, failures } = await db.webhookEndpoint.findUniqueOrThrow({
    where: { id: hanging.id },
  });
  expect(failures).toBe(1);
  expect(Math.abs(Number(job.runAt) - Number(pausedUntil))).toBeLessThan(1_000);
  const hungAt = Number(ended[0]?.history[0]?.at) + 15_000;
  expect(Number(pausedUntil) - hungAt).toBeGreaterThan(4_500);
});

test('an endpoint that is to be sent in order from now on is so at once, whatever was taken ahead', async () => {
  const stack = await startWebhookStack();
  const { db, receiver, createEndpoint, owe, startWorker, allSettled } = stack;
  const endpoint = await createEndpoint('/a', { maxConcurrency: 3 });
  const ids = await owe(endpoint, 200);
  const inOrder: number[] = [];
  receiver.answer('/a', ({ headers, body }) => {
    const { sequence } = JSON.parse(body.toString());
    if (sequence !== undefined) inOrder.push(sequence);
    // The first is down until it is sent in order.
    const isDown = headers['webhook-id'] === ids[0] && sequence === undefined;
    return { status: isDown ? 500 : 200, afterMs: 20 };
  });
  await startWorker();
  await until(() => receiver.received('/a').length > 20, { what: 'the run to begin' });
  await db.webhookEndpoint.updateMany({ data: { ordered: true } });
  await until(async () => (await db.job.count({ where: { state: 'waiting' } })) === 1, {
    what: 'the run to end',
  });
  const sent = await succeeded(stack, endpoint);
  expect(sent).toBeLessThan(150);
  // All others wait for the first.
  await until(
    async () => {
      const first = await stack.deliveryOf(endpoint, ids[0] ?? '');
      return first.status === 'succeeded';
    },
    { what: 'its retry' },
  );
  await allSettled(30_000);
  const left = Array.from({ length: 199 - sent }, (_, index) => sent + 2 + index);
  expect(inOrder).toEqual([1, ...left]);
});

test('an endpoint is sent no more requests at a time than its owner allows', async () => {
  const stack = await startWebhookStack();
  const { receiver, createEndpoint, owe, startWorker, allSettled } = stack;
  const endpoint = await createEndpoint('/a', { maxConcurrency: 3 });
  receiver.answer('/a', { status: 200, afterMs: 10 });
  const ids = await owe(endpoint, 60);
  await startWorker();
  await allSettled();
  expect(receiver.mostAtOnce('/a')).toBe(3);
  expect(idsOf(stack, '/a').sort()).toEqual(ids);
});

test('an endpoint is sent no more requests a second than its owner allows, over several runs', async () => {
  const stack = await startWebhookStack();
  const { receiver, createEndpoint, owe, startWorker, allSettled } = stack;
  const endpoint = await createEndpoint('/a', { rateLimitPerSecond: 5 });
  await startWorker();
  for (let run = 0; run < 3; run += 1) {
    await owe(endpoint, 3);
    await allSettled();
  }
  const times = receiver.received('/a').map(({ at }) => at);
  expect(times).toHaveLength(9);
  // Eight intervals of 200 ms; each may seem shorter when the request before it was late.
  expect(Number(times.at(-1)) - Number(times[0])).toBeGreaterThan(8 * 200 - 150);
});

test('an ordered endpoint is sent one at a time in its order, with the sequence in the body', async () => {
  const stack = await startWebhookStack();
  const { receiver, createEndpoint, owe, makeDue, deliveryOf, startWorker, allSettled } = stack;
  const endpoint = await createEndpoint('/a', { ordered: true });
  const ids = await owe(endpoint, 12);
  const third = ids[2] ?? '';
  let failures = 0;
  receiver.answer('/a', ({ headers }) => {
    const isDown = headers['webhook-id'] === third && failures < 2;
    if (isDown) failures += 1;
    return { status: isDown ? 500 : 200, afterMs: 5 };
  });
  await startWorker();
  for (const attempts of [1, 2]) {
    await until(async () => (await deliveryOf(endpoint, third)).attempts === attempts, {
      what: 'the third to fail',
    });
    // Those behind it wait with it.
    expect(await succeeded(stack, endpoint)).toBe(2);
    await makeDue(endpoint);
  }
  await allSettled();
  expect(idsOf(stack, '/a')).toEqual([...ids.slice(0, 2), third, third, ...ids.slice(2)]);
  expect(receiver.mostAtOnce('/a')).toBe(1);
  const sequences = receiver.received('/a').map(({ body }) => JSON.parse(body.toString()).sequence);
  expect(sequences).toEqual([1, 2, 3, 3, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
});

test('an ordered endpoint goes on after a delivery that has used up its attempts', async () => {
  const stack = await startWebhookStack();
  const { db, receiver, createEndpoint, owe, startWorker, allSettled } = stack;
  const endpoint = await createEndpoint('/a', { ordered: true });
  const ids = await owe(endpoint, 3);
  await db.webhookDelivery.updateMany({ where: { sequence: 2 }, data: { attempts: 9 } });
  receiver.answer('/a', ({ headers }) => ({
    status: headers['webhook-id'] === ids[1] ? 500 : 200,
  }));
  await startWorker();
  await allSettled();
  expect(idsOf(stack, '/a')).toEqual(ids);
  expect(await succeeded(stack, endpoint)).toBe(2);
});

test('an endpoint that is disabled during a run is sent no more, and keeps what it is owed', async () => {
  const stack = await startWebhookStack();
  const { db, receiver, createEndpoint, owe, startWorker, allSettled } = stack;
  const endpoint = await createEndpoint('/a', { maxConcurrency: 1 });
  receiver.answer('/a', { status: 200, afterMs: 50 });
  await owe(endpoint, 90);
  await startWorker();
  await until(() => receiver.received('/a').length > 2, { what: 'the run to begin' });
  await transaction(db, (tx) =>
    disableEndpoint(tx, endpoint.id, 'owner', { at: new Date(), requestId: null }),
  );
  await allSettled();
  const sent = receiver.received('/a').length;
  expect(sent).toBeLessThan(60);
  expect(await succeeded(stack, endpoint)).toBe(sent);
  expect(await db.webhookDelivery.count({ where: { status: 'pending' } })).toBe(90 - sent);
});

test('a new URL takes effect during a run', async () => {
  const stack = await startWebhookStack();
  const { db, receiver, createEndpoint, owe, startWorker, allSettled } = stack;
  const endpoint = await createEndpoint('/old', { maxConcurrency: 1 });
  receiver.answer('/old', { status: 200, afterMs: 50 });
  await owe(endpoint, 90);
  await startWorker();
  await until(() => receiver.received('/old').length > 2, { what: 'the run to begin' });
  await db.webhookEndpoint.updateMany({ data: { url: receiver.url('/new') } });
  await allSettled();
  expect(receiver.received('/old').length).toBeLessThan(60);
  expect(receiver.received('/new').length).toBe(90 - receiver.received('/old').length);
});

test('what comes while a request hangs is sent beside it, and then its end is no reason to pause', {
  timeout: 60_000,
}, async () => {
  const stack = await startWebhookStack();
  const { db, receiver, createEndpoint, owe, startWorker } = stack;
  const endpoint = await createEndpoint('/a');
  await owe(endpoint, 10);
  await startWorker();
  await until(async () => (await succeeded(stack, endpoint)) === 10, { what: 'a first run' });
  // One hangs, after its neighbours have shown that it takes several at a time.
  receiver.answer('/a', () => (receiver.received('/a').length === 15 ? 'hang' : 'ok'));
  await owe(endpoint, 5);
  await until(() => receiver.received('/a').length === 15, { what: 'one to hang' });
  await owe(endpoint, 20);
  await until(async () => (await succeeded(stack, endpoint)) === 34, { what: 'the others' });
  await until(() => db.webhookAttempt.findFirst({ where: { error: 'timed out' } }), {
    what: 'it to time out',
    timeoutMs: 40_000,
  });
  const { failures, pausedUntil } = await db.webhookEndpoint.findFirstOrThrow();
  expect({ failures, pausedUntil }).toEqual({ failures: 1, pausedUntil: null });
});

test('a run that is not owed any more sends nothing more and settles nothing', async () => {
  const stack = await startWebhookStack();
  const { db, queues, receiver, createEndpoint, owe, startWorker } = stack;
  const endpoint = await createEndpoint('/a', { maxConcurrency: 1 });
  receiver.answer('/a', { status: 200, afterMs: 50 });
  await owe(endpoint, 90);
  await startWorker();
  await until(() => receiver.received('/a').length > 2, { what: 'the run to begin' });
  // As if it had been dispatched anew, to a worker that is not there yet.
  await db.job.updateMany({
    data: {
      generation: { increment: 1 },
      state: 'waiting',
      runAt: new Date(Date.now() + 3_600_000),
    },
  });
  await until(async () => (await queues.webhooks.getActiveCount()) === 0, {
    what: 'the run to end',
  });
  const sent = receiver.received('/a').length;
  expect(sent).toBeLessThan(60);
  expect(await succeeded(stack, endpoint)).toBe(sent);
  expect(await db.job.count()).toBe(1);
});
