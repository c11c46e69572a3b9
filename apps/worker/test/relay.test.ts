import { pauseQueue, resumeQueue } from '@gatehouse/jobs/queue-pauses';
import { dispatchId, type JobData, queuePrefix } from '@gatehouse/jobs/queues';
import { until } from '@gatehouse/testing/condition';
import { acceptTestOrder, createTestAccount } from '@gatehouse/testing/fixtures';
import { Worker } from 'bullmq';
import { expect, test } from 'vitest';
import { expectBalancedBooks } from './books.ts';
import { startStack } from './stack.ts';

test('a job that waits is dispatched when it is due and not before', async () => {
  const { db, ledger, queues, startWorker, orderIn } = await startStack();
  await startWorker();
  const { accountId } = await createTestAccount(db);
  const orders = await Promise.all(
    [0, 1_500].map(async (delayMs) => {
      const orderId = await acceptTestOrder(db, ledger, accountId, {}, { handOver: false });
      const runAt = new Date(Date.now() + delayMs);
      await db.job.updateMany({ where: { subjectId: orderId }, data: { state: 'waiting', runAt } });
      return { orderId, runAt };
    }),
  );
  for (const { orderId, runAt } of orders) {
    await orderIn('filled', accountId, orderId);
    const carried = (await queues.trades.getCompleted()).find(
      ({ data }) => data.payload.orderId === orderId,
    );
    expect(carried?.timestamp).toBeGreaterThanOrEqual(runAt.getTime());
  }
});

test('a job that was committed but never handed over runs, before the full pass of the sweep', async () => {
  const { db, ledger, startWorker, orderIn } = await startStack();
  const { accountId } = await createTestAccount(db);
  await startWorker();
  await orderIn('filled', accountId, await acceptTestOrder(db, ledger, accountId));

  const since = performance.now();
  const orderId = await acceptTestOrder(db, ledger, accountId, {}, { handOver: false });
  await orderIn('filled', accountId, orderId);
  // That comes every 15 s; the fast one looks at what is a second old.
  expect(performance.now() - since).toBeLessThan(10_000);
});

test('what was lost before the worker started runs after its start, whole pages of it', async () => {
  const { db, ledger, startWorker, orderIn } = await startStack();
  const { accountId } = await createTestAccount(db);
  const orderId = await acceptTestOrder(db, ledger, accountId, {}, { handOver: false });
  // All dispatched in the same millisecond, an hour ago, and more than a page of them.
  await db.$executeRaw`
    INSERT INTO job (id, queue, name, subject_id, payload, state, run_at, dispatched_at)
    SELECT gen_random_uuid(), queue, name, subject_id, payload, state, run_at, now() - interval '1 hour'
    FROM job, generate_series(1, 2500)`;
  expect(await db.job.count()).toBe(2_501);
  await startWorker();
  // Sooner than a second full pass could find what the first has left out.
  await until(async () => (await db.job.count({ where: { generation: 0 } })) === 0, {
    what: 'all of them to be found',
  });
  await orderIn('filled', accountId, orderId);
});

test('after Redis has lost everything in mid-flight, all is done and nothing twice', async () => {
  const { db, redis, ledger, smtp, startWorker, allSettled } = await startStack();
  await Promise.all([startWorker(), startWorker()]);
  const { accountId } = await createTestAccount(db, { cash: '1000000.00' });
  const accept = () => acceptTestOrder(db, ledger, accountId);
  await Promise.all(Array.from({ length: 60 }, accept));
  await until(async () => (await db.fill.count()) >= 10, { what: 'the work to be under way' });
  await redis.flushdb();
  expect(await db.job.count()).toBeGreaterThan(0);
  await Promise.all(Array.from({ length: 20 }, accept));
  await allSettled();
  expect(await db.order.count({ where: { status: 'filled' } })).toBe(80);
  expect(await db.fill.count()).toBe(80);
  expect(new Set(smtp.received.map(({ messageId }) => messageId)).size).toBe(80);
  await expectBalancedBooks(db);
});

test('jobs that Redis had long been carrying are found soon after it has lost them', async () => {
  const { db, redis, ledger, queues, startWorker, orderIn, allSettled } = await startStack();
  await startWorker();
  await until(() => redis.exists('gatehouse:epoch'), { what: 'the sweep to begin' });
  const { accountId } = await createTestAccount(db);
  // Takes the sweep beyond what was dispatched before.
  const first = await acceptTestOrder(db, ledger, accountId, {}, { handOver: false });
  await orderIn('filled', accountId, first);
  await allSettled();

  await pauseQueue(db, queues.trades);
  await Promise.all(Array.from({ length: 5 }, () => acceptTestOrder(db, ledger, accountId)));
  await db.$executeRaw`UPDATE job SET dispatched_at = now() - interval '1 hour'`;
  await until(async () => (await queues.trades.getJobCountByTypes('wait')) === 5, {
    what: 'Redis to have them',
  });
  await redis.flushdb();
  const since = performance.now();
  await resumeQueue(db, queues.trades);
  await allSettled();
  // The full pass that finds them comes every 15 s; a missing epoch brings it on.
  expect(performance.now() - since).toBeLessThan(10_000);
  expect(await db.fill.count()).toBe(6);
});

test('the schedules come back after Redis has lost them', async () => {
  const { db, redis, ledger, queues, quotes, startWorker, orderIn } = await startStack();
  await startWorker();
  const { accountId } = await createTestAccount(db);
  const orderId = await acceptTestOrder(db, ledger, accountId, { limitPrice: '95' });
  await orderIn('submitted', accountId, orderId);
  await until(() => queues.schedules.getCompletedCount(), { what: 'a round' });
  await redis.flushdb();
  quotes.set({ bid: '90', ask: '90' });
  await orderIn('filled', accountId, orderId);
});

test('a job that Redis is done with, though it was never settled, is dispatched anew', async () => {
  const { db, ledger, queues, environment, startWorker, orderIn } = await startStack();
  const { accountId } = await createTestAccount(db);
  const orderId = await acceptTestOrder(db, ledger, accountId, {}, { handOver: false });
  const row = await db.job.findFirstOrThrow();
  const data: JobData = { id: row.id, generation: 0, payload: {}, requestId: null };
  // As when Postgres was away at the moment in which the failure was to be written down.
  const carried = await queues.trades.add(row.name, data, { jobId: dispatchId(row) });
  const careless = new Worker('trades', async () => Promise.reject(new Error('unrecorded')), {
    connection: { url: environment.REDIS_URL ?? '' },
    prefix: queuePrefix('trades'),
  });
  await until(() => carried.isFailed(), { what: 'the job to fail' });
  await careless.close();
  await startWorker();
  await orderIn('filled', accountId, orderId);
});

test('a backlog stays in Postgres but for the window', async () => {
  const { db, ledger, queues, startWorker } = await startStack();
  const { accountId } = await createTestAccount(db);
  await acceptTestOrder(db, ledger, accountId, {}, { handOver: false });
  await db.$executeRaw`UPDATE job SET state = 'waiting'`;
  await db.$executeRaw`
    INSERT INTO job (id, queue, name, subject_id, payload, state, run_at)
    SELECT gen_random_uuid(), queue, name, subject_id, payload, state, run_at
    FROM job, generate_series(1, 7999)`;
  await startWorker({ WORKER_CONCURRENCY: '1' });
  const inRedis = () => queues.trades.getJobCountByTypes('wait', 'active');
  await until(async () => (await inRedis()) >= 4_900, {
    what: 'the window to be full',
    timeoutMs: 30_000,
  });
  // 3,000 rows beyond the window, less those that were worked off meanwhile.
  expect(await db.job.count({ where: { state: 'waiting' } })).toBeGreaterThan(1_000);
  expect(await inRedis()).toBeLessThanOrEqual(5_000);
});
