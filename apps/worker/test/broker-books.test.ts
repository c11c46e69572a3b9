import { findAccount } from '@gatehouse/db/accounts';
import { transaction } from '@gatehouse/db/transaction';
import { until } from '@gatehouse/testing/condition';
import { acceptTestOrder, createTestAccount } from '@gatehouse/testing/fixtures';
import { expect, test } from 'vitest';
import { createTradeSettlement } from '../src/trading/settle-trades.ts';
import { expectBalancedBooks } from './books.ts';
import { startOutside } from './outside.ts';

const PAPER = { BROKER: 'paper' };

test('a market order at a broker holds five percent more than is asked, so that no other spends it', async () => {
  const { alpaca, db, ledger, quotes, startWorker, orderIn, cancel, held } = await startOutside();
  alpaca.filling = 'by hand';
  quotes.set({ bid: '99.90', ask: '100.0001' });
  await startWorker();
  const { accountId } = await createTestAccount(db, { cash: '2000.00' });
  const market = await acceptTestOrder(db, ledger, accountId);
  const order = await orderIn('submitted', accountId, market);
  // 105.000105 a share, rounded up to four decimals; for ten, to the cent.
  expect(order.holdPrice?.toFixed()).toBe('105.0002');
  expect(await held(accountId)).toBe('1050.01');

  const limit = { limitPrice: '1', quantity: '950' } as const;
  const tooMuch = await acceptTestOrder(db, ledger, accountId, limit);
  expect(await orderIn('rejected', accountId, tooMuch)).toMatchObject({
    rejectCode: 'insufficient_funds',
    broker: null,
  });
  const exact = { ...limit, quantity: '949.99' };
  await orderIn('submitted', accountId, await acceptTestOrder(db, ledger, accountId, exact));
  expect(await held(accountId)).toBe('2000');
  expect(alpaca.submissions()).toBe(2);

  await cancel(accountId, market);
  await orderIn('canceled', accountId, market);
  expect(await held(accountId)).toBe('949.99');
  await expectBalancedBooks(db);
});

test('an order holds its cash from before the broker is asked', async () => {
  const { alpaca, db, ledger, startWorker, orderIn, held } = await startOutside();
  alpaca.hang();
  await startWorker();
  const { accountId } = await createTestAccount(db, { cash: '1050.00' });
  const first = await acceptTestOrder(db, ledger, accountId);
  await until(() => alpaca.submissions() === 1, { what: 'the submission' });
  expect(await held(accountId)).toBe('1050');
  const second = await acceptTestOrder(db, ledger, accountId, { quantity: '0.1' });
  await orderIn('rejected', accountId, second);
  expect(alpaca.orders()).toEqual([]);
  alpaca.resume();
  await orderIn('filled', accountId, first);
});

test('of twenty market orders at once as many go to the broker as are covered', async () => {
  const { alpaca, db, ledger, startWorker, allSettled } = await startOutside();
  alpaca.setPrice('AAPL', '104.90', '105.00');
  await Promise.all([startWorker(), startWorker()]);
  const { accountId } = await createTestAccount(db, { cash: '10500.00' });
  await Promise.all(Array.from({ length: 20 }, () => acceptTestOrder(db, ledger, accountId)));
  await allSettled();
  const statuses = await db.order.groupBy({
    by: ['status'],
    _count: true,
    orderBy: { status: 'asc' },
  });
  expect(statuses).toEqual([
    { status: 'filled', _count: 10 },
    { status: 'rejected', _count: 10 },
  ]);
  expect((await findAccount(db, accountId)).cash.toFixed()).toBe('0');
  expect(alpaca.orders()).toHaveLength(10);
  await expectBalancedBooks(db);
});

test('a day order whose day is over is not taken to a broker', async () => {
  const { alpaca, db, ledger, startWorker, orderIn, allSettled } = await startOutside();
  await startWorker();
  const { accountId } = await createTestAccount(db);
  const createdAt = new Date(Date.now() - 24 * 60 * 60 * 1000);
  const late = await acceptTestOrder(db, ledger, accountId, { createdAt });
  expect(await orderIn('expired', accountId, late)).toMatchObject({ broker: null });
  const gtc = { createdAt, timeInForce: 'gtc' } as const;
  await orderIn('filled', accountId, await acceptTestOrder(db, ledger, accountId, gtc));
  await allSettled();
  expect(alpaca.submissions()).toBe(1);
});

test('after a switch each order stays with the broker that has it, and new ones go to the new one', async () => {
  const { alpaca, db, ledger, quotes, startWorker, orderIn, allSettled, cancel } =
    await startOutside();
  alpaca.filling = 'by hand';
  const { accountId } = await createTestAccount(db);
  const limit = { limitPrice: '95' };
  const before = await startWorker();
  const theirs = await acceptTestOrder(db, ledger, accountId, limit);
  const canceled = await acceptTestOrder(db, ledger, accountId, limit);
  await orderIn('submitted', accountId, theirs);
  await orderIn('submitted', accountId, canceled);
  await before.close();

  const after = await startWorker(PAPER);
  const ours = await acceptTestOrder(db, ledger, accountId, limit);
  const stays = await acceptTestOrder(db, ledger, accountId, limit);
  expect(await orderIn('submitted', accountId, ours)).toMatchObject({ broker: 'paper' });
  await cancel(accountId, canceled);
  await orderIn('canceled', accountId, canceled);
  const there = new Map(alpaca.orders().map((order) => [order.clientOrderId, order.status]));
  expect([there.get(theirs), there.get(canceled)]).toEqual(['new', 'canceled']);
  await orderIn('submitted', accountId, stays);
  await after.close();

  await startWorker();
  await cancel(accountId, stays);
  await orderIn('canceled', accountId, stays);
  // The round that fills ours passes by theirs, which is older.
  quotes.set({ bid: '93.90', ask: '94.00' });
  expect((await orderIn('filled', accountId, ours)).fills).toMatchObject([
    { executionId: `${ours}-1` },
  ]);
  expect(await orderIn('submitted', accountId, theirs)).toMatchObject({ fills: [] });
  alpaca.fill(theirs, '10', '95');
  await orderIn('filled', accountId, theirs);
  await allSettled();
  expect(alpaca.submissions()).toBe(2);
  await expectBalancedBooks(db);
});

test('a worker without access to the broker that has an order leaves it to one with access', async () => {
  const { alpaca, db, ledger, startWorker, orderIn, allSettled } = await startOutside();
  alpaca.filling = 'by hand';
  const before = await startWorker();
  const { accountId } = await createTestAccount(db);
  const orderId = await acceptTestOrder(db, ledger, accountId);
  await orderIn('submitted', accountId, orderId);
  await before.close();

  const without = await startWorker(PAPER, undefined, null);
  const putOff = await until(() => db.job.findFirst({ where: { lastError: { not: null } } }), {
    what: 'the look to be put off',
  });
  expect(putOff).toMatchObject({ name: 'reconcile-trade', attempts: 0 });
  expect(putOff.lastError).toContain('there is no access to the broker alpaca');
  expect(putOff.runAt.getTime()).toBeGreaterThan(Date.now() + 1_000);
  await expectBalancedBooks(db);
  await without.close();

  alpaca.fill(orderId, '10', '100');
  await db.job.updateMany({ data: { runAt: new Date() } });
  await startWorker();
  await orderIn('filled', accountId, orderId);
  await allSettled();
});

test('the paper broker leaves an order alone that was taken outside since it was asked', async () => {
  const { db, ledger, quotes } = await startOutside();
  const { accountId } = await createTestAccount(db);
  const orderId = await acceptTestOrder(db, ledger, accountId, {}, { handOver: false });
  await db.order.update({ where: { id: orderId }, data: { broker: 'alpaca', holdPrice: '105' } });
  const at = new Date();
  const quote = await quotes.quote('AAPL', at);
  const trade = { orderId, accountId, quote, at, from: ['accepted'], requestId: null } as const;
  const trading = transaction(db, (tx) => createTradeSettlement(ledger)(tx, [trade]));
  await expect(trading).rejects.toThrow(`order ${orderId} was taken to alpaca meanwhile`);
  expect(await db.order.findMany()).toMatchObject([{ status: 'accepted', broker: 'alpaca' }]);
  expect(await db.fill.count()).toBe(0);
});
