import { dispatchId } from '@gatehouse/jobs/queues';
import { until } from '@gatehouse/testing/condition';
import { acceptTestOrder, createTestAccount } from '@gatehouse/testing/fixtures';
import { expect, test } from 'vitest';
import { expectBalancedBooks } from './books.ts';
import { startStack } from './stack.ts';

test('one job that is delivered forty times at once to five workers is applied once', async () => {
  const { db, ledger, queues, smtp, startWorker, orderIn, allSettled } = await startStack();
  const { accountId } = await createTestAccount(db);
  const orderId = await acceptTestOrder(db, ledger, accountId, {}, { handOver: false });
  const job = await db.job.findFirstOrThrow({ where: { subjectId: orderId } });
  const deliveries = Array.from({ length: 40 }, (_, index) => ({
    name: job.name,
    data: { id: job.id, generation: 0, payload: { orderId, accountId }, requestId: null },
    opts: { jobId: `${dispatchId(job)}-${index}` },
  }));
  await queues.trades.addBulk(deliveries);
  await Promise.all(Array.from({ length: 5 }, () => startWorker()));

  await until(async () => (await queues.trades.getCompletedCount()) >= 40, {
    what: 'all deliveries to end',
  });
  expect(await queues.trades.getFailedCount()).toBe(0);
  const order = await orderIn('filled', accountId, orderId);
  expect(order.fills).toHaveLength(1);
  await allSettled();
  expect(smtp.received).toHaveLength(1);
  await expectBalancedBooks(db);
});

test('five workers fill forty orders of one account, each once, and never overspend', async () => {
  const { db, ledger, smtp, startWorker, allSettled } = await startStack();
  await Promise.all(Array.from({ length: 5 }, () => startWorker()));
  const { accountId } = await createTestAccount(db, { cash: '30000.00' });
  await Promise.all(Array.from({ length: 40 }, () => acceptTestOrder(db, ledger, accountId)));
  await allSettled(30_000);
  const statuses = await db.order.groupBy({
    by: ['status'],
    _count: true,
    orderBy: { status: 'asc' },
  });
  expect(statuses).toEqual([
    { status: 'filled', _count: 30 },
    { status: 'rejected', _count: 10 },
  ]);
  expect(await db.fill.count()).toBe(30);
  expect(new Set(smtp.received.map(({ messageId }) => messageId)).size).toBe(30);
  expect(smtp.received).toHaveLength(30);
  await expectBalancedBooks(db);
});
