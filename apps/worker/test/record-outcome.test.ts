import { listRestingOrders } from '@gatehouse/db/orders';
import { transaction } from '@gatehouse/db/transaction';
import type { BrokerOrder } from '@gatehouse/domain/broker';
import { decimal } from '@gatehouse/domain/decimal';
import { acceptTestOrder, createTestAccount } from '@gatehouse/testing/fixtures';
import { expect, test } from 'vitest';
import { type Outcome, UNKNOWN } from '../src/trading/outcome.ts';
import { recordOutcome } from '../src/trading/record-outcome.ts';
import { expectBalancedBooks } from './books.ts';
import { startStack } from './stack.ts';

/** An order for 10 AAPL that was taken to a broker outside and has no answer yet; no worker runs. */
async function takenOrder() {
  const { db, ledger } = await startStack();
  const { accountId } = await createTestAccount(db, { cash: '1050.00' });
  const orderId = await acceptTestOrder(db, ledger, accountId, {}, { handOver: false });
  await db.job.deleteMany();
  await db.order.update({ where: { id: orderId }, data: { broker: 'alpaca', holdPrice: '105' } });
  const ids = { orderId, accountId };
  const record = (outcome: Outcome) =>
    transaction(db, (tx) =>
      recordOutcome(tx, ledger, { ...ids, outcome, at: new Date(), requestId: 'of the owner' }),
    );
  const report = (status: BrokerOrder['status'], filled: string, price = '100'): Outcome => ({
    kind: 'reported',
    report: {
      id: 'theirs',
      clientOrderId: orderId,
      status,
      filledQuantity: decimal(filled),
      averageFillPrice: decimal(filled).isZero() ? null : decimal(price),
    },
  });
  return { db, accountId, record, report };
}

test('twenty who record the same at once have it booked once, and owe one look', async () => {
  const { db, record, report } = await takenOrder();
  const twenty = (outcome: Outcome) =>
    Promise.all(Array.from({ length: 20 }, () => record(outcome)));
  await twenty(UNKNOWN);
  expect(await db.order.findMany()).toMatchObject([{ status: 'unknown', version: 2 }]);
  expect(await db.job.findMany()).toMatchObject([{ name: 'reconcile-trade' }]);

  await twenty(report('open', '4'));
  expect(await db.order.findMany()).toMatchObject([{ status: 'partially_filled', version: 3 }]);
  expect(await db.fill.findMany()).toMatchObject([{ executionId: 'alpaca-theirs-4' }]);
  expect(await db.job.count()).toBe(1);
  await expectBalancedBooks(db);

  await twenty(report('filled', '10'));
  expect(await db.order.findMany()).toMatchObject([{ status: 'filled', version: 4 }]);
  expect(await db.fill.count()).toBe(2);
  expect(await db.email.count()).toBe(1);
  expect((await db.account.findFirstOrThrow()).cash.toFixed()).toBe('50');
  await expectBalancedBooks(db);
});

test('twenty who record a fill that the cash does not cover make the account owe it once', async () => {
  const { db, accountId, record, report } = await takenOrder();
  const filled = report('filled', '10', '120');
  await Promise.all(Array.from({ length: 20 }, () => record(filled)));
  const { cash, owed } = await db.account.findFirstOrThrow();
  expect([cash.toFixed(2), owed.toFixed(2)]).toEqual(['0.00', '150.00']);
  expect(await db.order.findMany()).toMatchObject([{ status: 'filled' }]);
  const told = await db.event.findMany({ where: { type: 'account.owed_changed' } });
  const data = { currency: 'USD', cash: '0.00', owed: '150.00' };
  expect(told).toMatchObject([{ accountId, data, requestId: 'of the owner' }]);
  await expectBalancedBooks(db);
});

test('reports that come in the wrong order leave what the newest says', async () => {
  const { db, record, report } = await takenOrder();
  const late = [report('open', '7'), report('open', '4'), report('open', '0')];
  for (const outcome of [...late, UNKNOWN]) await record(outcome);
  expect(await db.order.findMany()).toMatchObject([{ status: 'partially_filled', version: 2 }]);
  expect(await db.fill.findMany()).toMatchObject([{ executionId: 'alpaca-theirs-7' }]);
  await record(report('canceled', '7'));
  for (const outcome of late) await record(outcome);
  const order = await db.order.findFirstOrThrow();
  expect([order.status, order.filledQuantity.toFixed(), order.version]).toEqual([
    'canceled',
    '7',
    3,
  ]);
  await expectBalancedBooks(db);
});

test('an order that rests outside is none of the paper broker', async () => {
  const { db, record, report } = await takenOrder();
  await record(report('open', '0'));
  const page = { after: null, limit: 10 };
  expect(await listRestingOrders(db, 'paper', page)).toEqual([]);
  expect(await listRestingOrders(db, 'alpaca', page)).toHaveLength(1);
});
