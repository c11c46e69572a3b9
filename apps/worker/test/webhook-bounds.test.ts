import type { Database } from '@gatehouse/db/client';
import { deliverWebhooks } from '@gatehouse/jobs/definitions/deliver-webhooks';
import { until } from '@gatehouse/testing/condition';
import { createGuardedAgent } from '@gatehouse/webhooks/agent';
import { Agent, buildConnector } from 'undici';
import { expect, onTestFinished, test } from 'vitest';
import {
  createDeliverWebhooks,
  type DeliverWebhooksParts,
} from '../src/processors/deliver-webhooks.ts';
import { createRecorder, type Recorder } from '../src/webhooks/recorder.ts';
import { createSender } from '../src/webhooks/sender.ts';
import type { Work } from '../src/worker.ts';
import { startWebhookStack, type TestEndpoint, type WebhookStack } from './webhooks.ts';

/** A worker that does nothing but send webhooks, with these parts in place of its own. */
function lanesWith(changes: Partial<DeliverWebhooksParts>): Work {
  return {
    catalogue: [deliverWebhooks],
    createProcessors: (parts) => [createDeliverWebhooks({ ...parts, ...changes })],
  };
}

/** Has whoever records a delivery wait until it is released. */
async function hold(db: Database, deliveryId: string) {
  const held = Promise.withResolvers<void>();
  const released = Promise.withResolvers<void>();
  const done = db.$transaction(
    async (tx) => {
      await tx.$executeRaw`SELECT 1 FROM webhook_delivery WHERE id = ${deliveryId}::uuid FOR NO KEY UPDATE`;
      held.resolve();
      await released.promise;
    },
    { timeout: 60_000 },
  );
  const release = () => {
    released.resolve();
    return done;
  };
  onTestFinished(release);
  await held.promise;
  return release;
}

const pending = ({ db }: WebhookStack) =>
  db.webhookDelivery.count({ where: { status: 'pending' } });

async function expectNoFailure({ db }: WebhookStack, { id }: TestEndpoint) {
  const job = await until(() => db.job.findFirst({ where: { lastError: { not: null } } }), {
    what: 'the job to be put off',
    timeoutMs: 40_000,
  });
  expect(job).toMatchObject({ attempts: 0, state: 'waiting' });
  expect(job.lastError).toMatch('no connection was to be had');
  const { failures, pausedUntil } = await db.webhookEndpoint.findUniqueOrThrow({ where: { id } });
  expect({ failures, pausedUntil }).toEqual({ failures: 0, pausedUntil: null });
  expect(await db.webhookAttempt.count()).toBe(0);
}

test('a request that waited all its time for a connection to its origin costs no attempt', {
  timeout: 60_000,
}, async () => {
  const stack = await startWebhookStack();
  const { db, receiver, createEndpoint, owe, startWorker, allSettled } = stack;
  const agent = createGuardedAgent(
    { allowPrivate: true, allowHttp: true },
    { connections: 1, keepAliveMs: 60_000 },
  );
  // Somebody else has the only connection.
  receiver.answer('/other', 'hang');
  const end = new AbortController();
  const { signal } = end;
  const other = agent.request({ origin: receiver.url(), path: '/other', method: 'POST', signal });
  const otherEnd = other.then(
    () => 'answered',
    () => 'cut off',
  );
  await until(() => receiver.received('/other').length === 1, { what: 'the other request' });

  const endpoint = await createEndpoint('/a', { ordered: true });
  await owe(endpoint, 2);
  await startWorker({}, lanesWith({ sender: createSender(agent) }));
  await expectNoFailure(stack, endpoint);
  end.abort();
  expect(await otherEnd).toBe('cut off');
  await allSettled(30_000);
  const heard = receiver.received('/a').map(({ body }) => JSON.parse(body.toString()).sequence);
  expect(heard).toEqual([1, 2]);
  expect(await db.webhookDelivery.count({ where: { status: 'succeeded', attempts: 1 } })).toBe(2);
});

test.each(['EMFILE', 'ENFILE'])(
  '%s is nobody’s failure: what is due is sent when there is room again',
  async (code) => {
    const stack = await startWebhookStack();
    const { db, createEndpoint, owe, startWorker, allSettled } = stack;
    const connect = buildConnector({});
    let isExhausted = true;
    const agent = new Agent({
      connect: (target, callback) => {
        if (isExhausted) callback(Object.assign(new Error('no file descriptor'), { code }), null);
        else connect(target, callback);
      },
    });
    const endpoint = await createEndpoint('/a');
    await owe(endpoint, 3);
    await startWorker({}, lanesWith({ sender: createSender(agent) }));
    await expectNoFailure(stack, endpoint);
    isExhausted = false;
    await allSettled();
    expect(await db.webhookDelivery.count({ where: { status: 'succeeded', attempts: 1 } })).toBe(3);
  },
);

test('a process has no more requests under way than it may, over all its lanes', async () => {
  const stack = await startWebhookStack();
  const { receiver, createEndpoint, owe, startWorker, allSettled } = stack;
  receiver.answer('/a', { status: 200, afterMs: 50 });
  for (let count = 0; count < 6; count += 1) await owe(await createEndpoint('/a'), 8);
  const agent = createGuardedAgent({ allowPrivate: true, allowHttp: true });
  await startWorker({}, lanesWith({ sender: createSender(agent, { mostUnderWay: 3 }) }));
  await allSettled(30_000);
  expect(receiver.received('/a')).toHaveLength(48);
  expect(receiver.mostAtOnce('/a')).toBe(3);
  expect(await pending(stack)).toBe(0);
});

test('a lane that waits for room in its process hears of it, also while a request of its own hangs', async () => {
  const stack = await startWebhookStack();
  const { db, receiver, createEndpoint, owe, startWorker } = stack;
  receiver.answer('/other', { status: 200, afterMs: 1_000 });
  receiver.answer('/a', () => (receiver.received('/a').length === 2 ? 'hang' : 'ok'));
  const [endpoint, other] = [await createEndpoint('/a'), await createEndpoint('/other')];
  const agent = createGuardedAgent({ allowPrivate: true, allowHttp: true });
  await startWorker({}, lanesWith({ sender: createSender(agent, { mostUnderWay: 2 }) }));
  await owe(other);
  await until(() => receiver.received('/other').length === 1, { what: 'the other request' });
  await owe(endpoint, 3);
  await until(() => receiver.received('/a').length === 3, {
    what: 'the third',
    timeoutMs: 30_000,
  });
  expect(await db.webhookAttempt.count({ where: { error: { not: null } } })).toBe(0);
});

test('while a process cannot write down what it has sent, it sends no more than it may have waiting', async () => {
  const stack = await startWebhookStack();
  const { db, receiver, createEndpoint, owe, deliveryOf, startWorker, allSettled } = stack;
  const endpoints = [
    await createEndpoint('/a', { maxConcurrency: 2 }),
    await createEndpoint('/b', { maxConcurrency: 2 }),
  ] as const;
  const [first = ''] = await owe(endpoints[0], 30);
  await owe(endpoints[1], 30);
  const release = await hold(db, (await deliveryOf(endpoints[0], first)).id);
  const recorder = createRecorder(db, { mostWaiting: 5 });
  let refusals = 0;
  const watched: Recorder = {
    get isFull() {
      if (recorder.isFull) refusals += 1;
      return recorder.isFull;
    },
    record: (attempt) => recorder.record(attempt),
  };
  await startWorker({}, lanesWith({ recorder: watched }));
  await until(() => refusals > 50, { what: 'the lanes to look again and again' });
  const unrecorded = receiver.received().length - (await db.webhookAttempt.count());
  // The answers of three others may have been under way when the fifth came.
  expect(unrecorded).toBeGreaterThanOrEqual(5);
  expect(unrecorded).toBeLessThanOrEqual(8);
  await release();
  await allSettled();
  expect(receiver.received()).toHaveLength(60);
  expect(await pending(stack)).toBe(0);
});

test('an ordered endpoint is sent twenty at most that are not written down', async () => {
  const stack = await startWebhookStack();
  const { db, receiver, createEndpoint, owe, deliveryOf, startWorker, allSettled } = stack;
  const ordered = await createEndpoint('/ordered', { ordered: true });
  const other = await createEndpoint('/other');
  const [first = ''] = await owe(ordered, 60);
  const release = await hold(db, (await deliveryOf(ordered, first)).id);
  await startWorker();
  await until(() => receiver.received('/ordered').length >= 20, { what: 'twenty' });
  // There is time for as many again.
  await owe(other, 40);
  await until(() => receiver.received('/other').length === 40, { what: 'the other endpoint' });
  expect(receiver.received('/ordered')).toHaveLength(20);
  await release();
  await allSettled();
  const heard = receiver
    .received('/ordered')
    .map(({ body }) => JSON.parse(body.toString()).sequence);
  expect(heard).toEqual(Array.from({ length: 60 }, (_, index) => index + 1));
});
