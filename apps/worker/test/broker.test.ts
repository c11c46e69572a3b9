import { findAccount } from '@gatehouse/db/accounts';
import { findPosition } from '@gatehouse/db/positions';
import { hash32 } from '@gatehouse/domain/hash';
import { dispatchId } from '@gatehouse/jobs/queues';
import type { SubmitBehaviour } from '@gatehouse/testing/alpaca';
import { until } from '@gatehouse/testing/condition';
import { acceptTestOrder, createTestAccount } from '@gatehouse/testing/fixtures';
import { expect, test } from 'vitest';
import { expectBalancedBooks } from './books.ts';
import { startOutside } from './outside.ts';

test('an order that a broker outside fills at once is booked and confirmed, and nothing is owed', async () => {
  const { alpaca, db, ledger, smtp, startWorker, orderIn, allSettled, held } = await startOutside();
  await startWorker();
  alpaca.setPrice('AAPL', '100.01', '100.12');
  const { accountId } = await createTestAccount(db, { cash: '5000.00' });
  const orderId = await acceptTestOrder(db, ledger, accountId, { quantity: '10.5' });

  const order = await orderIn('filled', accountId, orderId);
  const [theirs, ...others] = alpaca.orders();
  expect(others).toEqual([]);
  expect(theirs).toMatchObject({
    clientOrderId: orderId,
    symbol: 'AAPL',
    side: 'buy',
    type: 'market',
    quantity: '10.5',
  });
  expect(order).toMatchObject({ broker: 'alpaca', brokerOrderId: theirs?.id, version: 3 });
  expect(order.holdPrice?.toFixed()).toBe('105');
  expect(order.fills).toMatchObject([{ executionId: `alpaca-${theirs?.id}-10.5` }]);
  expect(order.averageFillPrice?.toFixed()).toBe('100.12');
  expect(order.submittedAt).toEqual(order.filledAt);

  await allSettled();
  expect((await findAccount(db, accountId)).cash.toFixed()).toBe('3948.74');
  expect(await held(accountId)).toBe('0');
  expect(smtp.received.map(({ subject }) => subject)).toEqual(['Bought 10.5 AAPL at $100.12']);
  expect(alpaca.submissions()).toBe(1);
  await expectBalancedBooks(db);
});

test('what is filled in parts is booked in parts, each once, and is owed one look until it is over', async () => {
  const { alpaca, db, ledger, smtp, startWorker, orderIn, allSettled, held } = await startOutside();
  alpaca.filling = 'by hand';
  await Promise.all([startWorker(), startWorker()]);
  const { accountId } = await createTestAccount(db, { cash: '1000.00' });
  const limit = { limitPrice: '100', quantity: '9' };
  const orderId = await acceptTestOrder(db, ledger, accountId, limit, { requestId: 'request-1' });
  const [id, cash] = [() => alpaca.orders()[0]?.id, () => findAccount(db, accountId)];

  const submitted = await orderIn('submitted', accountId, orderId);
  expect(submitted).toMatchObject({ brokerOrderId: id(), fills: [] });
  expect(await held(accountId)).toBe('900');
  await expectBalancedBooks(db);

  alpaca.fill(orderId, '4', '99.5');
  await orderIn('partially_filled', accountId, orderId);
  expect((await cash()).cash.toFixed()).toBe('602');
  expect(await held(accountId)).toBe('500');
  const jobs = await db.job.findMany();
  expect(jobs).toMatchObject([{ name: 'reconcile-trade', requestId: 'request-1' }]);
  await expectBalancedBooks(db);

  alpaca.fill(orderId, '2', '99');
  await until(async () => (await db.fill.count()) === 2, { what: 'the second part' });
  alpaca.fill(orderId, '3', '98.7654');
  const order = await orderIn('filled', accountId, orderId);
  const fills = order.fills.map(({ quantity, price, executionId }) => [
    quantity.toFixed(),
    price.toFixed(),
    executionId,
  ]);
  expect(fills).toEqual([
    ['4', '99.5', `alpaca-${id()}-4`],
    ['2', '99', `alpaca-${id()}-6`],
    ['3', '98.7654', `alpaca-${id()}-9`],
  ]);
  await allSettled();
  // 398.00, 198.00, and 296.2962 rounded up.
  expect((await cash()).cash.toFixed()).toBe('107.7');
  expect(smtp.received).toHaveLength(1);
  await expectBalancedBooks(db);
});

test('a sell at a broker outside holds its shares, and pays out what it was filled at', async () => {
  const { alpaca, db, ledger, startWorker, orderIn, allSettled } = await startOutside();
  await startWorker();
  const { accountId } = await createTestAccount(db, { cash: '1050.00' });
  await orderIn('filled', accountId, await acceptTestOrder(db, ledger, accountId));
  alpaca.filling = 'by hand';
  const sell = { side: 'sell', quantity: '6' } as const;
  const first = await acceptTestOrder(db, ledger, accountId, sell);
  await orderIn('submitted', accountId, first);
  const second = await acceptTestOrder(db, ledger, accountId, sell);
  expect(await orderIn('rejected', accountId, second)).toMatchObject({
    rejectCode: 'insufficient_position',
    broker: null,
  });
  alpaca.fill(first, '6', '110');
  await orderIn('filled', accountId, first);
  await allSettled();
  const position = await findPosition(db, { accountId, symbol: 'AAPL', positionType: 'stock' });
  expect([position?.quantity.toFixed(), position?.realizedPnl.toFixed()]).toEqual(['4', '60']);
  expect((await findAccount(db, accountId)).cash.toFixed()).toBe('710');
  expect(alpaca.submissions()).toBe(2);
  await expectBalancedBooks(db);
});

test('an order that the broker refuses is rejected in our words, and holds nothing any more', async () => {
  const { alpaca, db, ledger, startWorker, orderIn, allSettled, held } = await startOutside();
  await startWorker();
  alpaca.onSubmit('refuse');
  const { accountId } = await createTestAccount(db, { cash: '1050.00' });
  const refused = await acceptTestOrder(db, ledger, accountId);
  const order = await orderIn('rejected', accountId, refused);
  expect(order).toMatchObject({ rejectCode: 'broker_rejected', brokerOrderId: null, fills: [] });
  expect(order.rejectReason).toBe('The broker does not take this order.');
  await allSettled();
  expect(await held(accountId)).toBe('0');
  await orderIn('filled', accountId, await acceptTestOrder(db, ledger, accountId));
  expect(alpaca.submissions()).toBe(2);
  await expectBalancedBooks(db);
});

test('what ends at the broker later on ends here, with the fills that it has', async () => {
  const { alpaca, db, ledger, startWorker, orderIn, allSettled } = await startOutside();
  alpaca.filling = 'by hand';
  await startWorker();
  const { accountId } = await createTestAccount(db);
  const ends = ['expired', 'canceled', 'rejected'] as const;
  const orders = await Promise.all(ends.map(() => acceptTestOrder(db, ledger, accountId)));
  for (const orderId of orders) await orderIn('submitted', accountId, orderId);
  const [expiring = ''] = orders;
  alpaca.fill(expiring, '1', '100');
  for (const [index, status] of ends.entries()) alpaca.end(orders[index] ?? '', status);
  for (const [index, status] of ends.entries()) {
    await orderIn(status, accountId, orders[index] ?? '');
  }
  await allSettled();
  const rows = await db.order.findMany({ orderBy: { filledQuantity: 'desc' } });
  expect(rows.map(({ filledQuantity }) => filledQuantity.toFixed())).toEqual(['1', '0', '0']);
  expect(rows.filter(({ rejectCode }) => rejectCode === 'broker_rejected')).toHaveLength(1);
  await expectBalancedBooks(db);
});

test('a broker without time for us is asked again when it said, and no attempt is counted', async () => {
  const { alpaca, db, ledger, startWorker, orderIn, allSettled } = await startOutside();
  alpaca.onSubmit('busy', 'busy');
  await startWorker();
  const { accountId } = await createTestAccount(db);
  const orderId = await acceptTestOrder(db, ledger, accountId);
  const waiting = await until(() => db.job.findFirst({ where: { generation: { gte: 1 } } }), {
    what: 'the order to be put off',
  });
  expect(waiting).toMatchObject({ name: 'execute-trade', attempts: 0 });
  expect(waiting.lastError).toContain('429');
  await orderIn('filled', accountId, orderId);
  await allSettled();
  expect([alpaca.submissions(), alpaca.orders().length]).toEqual([3, 1]);
  await expectBalancedBooks(db);
});

test('one job that is delivered thirty times at once to three workers is one order', async () => {
  const { alpaca, db, ledger, queues, smtp, startWorker, orderIn, allSettled } =
    await startOutside();
  const { accountId } = await createTestAccount(db);
  const orderId = await acceptTestOrder(db, ledger, accountId);
  const job = await db.job.findFirstOrThrow({ where: { subjectId: orderId } });
  const deliveries = Array.from({ length: 29 }, (_, index) => ({
    name: job.name,
    data: { id: job.id, generation: 0, payload: { orderId, accountId }, requestId: null },
    opts: { jobId: `${dispatchId(job)}-${index}` },
  }));
  // So that the others come while the first to be there does not know what became of it.
  alpaca.onSubmit('hang after accepting');
  await queues.trades.addBulk(deliveries);
  await Promise.all(Array.from({ length: 3 }, () => startWorker()));
  await until(async () => (await queues.trades.getCompletedCount()) >= 30, {
    what: 'all deliveries to end',
  });
  expect(await queues.trades.getFailedCount()).toBe(0);
  expect((await orderIn('filled', accountId, orderId)).fills).toHaveLength(1);
  await allSettled();
  expect([alpaca.orders().length, smtp.received.length]).toEqual([1, 1]);
  expect(alpaca.submissions()).toBeGreaterThan(1);
  await expectBalancedBooks(db);
});

test('fifty orders at once, whatever the broker does: fifty orders there, each filled once here', async () => {
  const { alpaca, db, ledger, smtp, startWorker, allSettled } = await startOutside();
  const kinds: SubmitBehaviour[] = [
    'accept',
    'hang before accepting',
    'hang after accepting',
    'fail before accepting',
    'fail after accepting',
    'busy',
  ];
  const mixed = Array.from({ length: 60 }, (_, index) => kinds[index % kinds.length] ?? 'accept')
    .map((kind, index) => ({ kind, place: hash32(`mix ${index}`) }))
    .sort((a, b) => a.place - b.place);
  alpaca.onSubmit(...mixed.map(({ kind }) => kind));
  await Promise.all([startWorker(), startWorker()]);
  const { accountId } = await createTestAccount(db);
  const ids = await Promise.all(
    Array.from({ length: 50 }, () => acceptTestOrder(db, ledger, accountId, { quantity: '2' })),
  );
  await allSettled(60_000);
  expect(
    alpaca
      .orders()
      .map(({ clientOrderId }) => clientOrderId)
      .sort(),
  ).toEqual(ids.sort());
  // Half of the sixty left an order there; the others came again.
  expect(alpaca.submissions()).toBeGreaterThanOrEqual(80);
  expect(await db.order.count({ where: { status: 'filled' } })).toBe(50);
  expect(await db.fill.count()).toBe(50);
  expect((await findAccount(db, accountId)).cash.toFixed()).toBe('90000');
  expect(new Set(smtp.received.map(({ messageId }) => messageId)).size).toBe(50);
  await expectBalancedBooks(db);
}, 90_000);
