import { until } from '@gatehouse/testing/condition';
import { expect, test } from 'vitest';
import { startWebhookStack } from './webhooks.ts';

test('a worker that closes sends what it has begun, and leaves the rest to the next', async () => {
  const { db, receiver, createEndpoint, owe, startWorker, allSettled } = await startWebhookStack({
    SHUTDOWN_DEADLINE_SECONDS: '60',
  });
  const endpoint = await createEndpoint('/a', { maxConcurrency: 1 });
  receiver.answer('/a', { status: 200, afterMs: 100 });
  await owe(endpoint, 200);
  const worker = await startWorker();
  await until(() => receiver.received().length > 2, { what: 'the run to be under way' });
  await worker.close();
  const sent = receiver.received().length;
  expect(sent).toBeLessThan(100);
  expect(await db.webhookAttempt.count()).toBe(sent);
  // The rest is owed, to whoever comes.
  expect(await db.job.count()).toBe(1);

  receiver.answer('/a', 'ok');
  await startWorker();
  await allSettled(30_000);
  expect(receiver.received()).toHaveLength(200);
});
