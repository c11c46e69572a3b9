import { listLedgerEntries } from '@gatehouse/db/ledger';
import { openTradeBooks } from '@gatehouse/db/trade-books';
import { transaction } from '@gatehouse/db/transaction';
import { decimal } from '@gatehouse/domain/decimal';
import { until } from '@gatehouse/testing/condition';
import { acceptTestOrder, createTestAccount, type TestOrder } from '@gatehouse/testing/fixtures';
import { takeFromAccount } from '@gatehouse/testing/taken-money';
import { expect, test } from 'vitest';
import { carryOut, entryOf, type Step } from '../src/trading/carry-out.ts';
import { tradeOrder } from '../src/trading/trade.ts';
import { writeTrades } from '../src/trading/write-trades.ts';
import { expectBalancedBooks, funds } from './books.ts';
import { startOutside } from './outside.ts';
import { startStack } from './stack.ts';

test('fills outside of an order whose cash was held through a dispute are booked to the last cent', async () => {
  const { alpaca, db, ledger, smtp, startWorker, orderIn, allSettled } = await startOutside();
  alpaca.filling = 'by hand';
  await startWorker();
  const { accountId } = await createTestAccount(db, { cash: '1500.00' });
  const limit = { limitPrice: '10.0001', quantity: '100' };
  const orderId = await acceptTestOrder(db, ledger, accountId, limit);
  await orderIn('submitted', accountId, orderId);
  await takeFromAccount(db, accountId, 500_00);
  expect(await funds(db, accountId)).toEqual(['1000.01', '0.01']);

  const parts: [shares: string, left: [string, string]][] = [
    ['33', ['670.00', '0.01']],
    ['33', ['339.99', '0.01']],
    ['34', ['0.00', '0.03']],
  ];
  for (const [index, [shares, left]] of parts.entries()) {
    alpaca.fill(orderId, shares, '10.0001');
    await until(async () => (await db.fill.count()) === index + 1, { what: 'the fill' });
    expect(await funds(db, accountId)).toEqual(left);
    await expectBalancedBooks(db);
  }
  const order = await orderIn('filled', accountId, orderId);
  expect(order.filledQuantity.toFixed()).toBe('100');
  await allSettled();
  expect(smtp.received).toHaveLength(1);
  await expectBalancedBooks(db);
});

test('a market order that fills beyond its margin takes what other orders hold, and the rest is owed', async () => {
  const { alpaca, db, ledger, startWorker, orderIn, held, allSettled } = await startOutside();
  alpaca.filling = 'by hand';
  await startWorker();
  const { accountId } = await createTestAccount(db, { cash: '1100.00' });
  const order = (changes: TestOrder) => acceptTestOrder(db, ledger, accountId, changes);
  const other = await order({ limitPrice: '50', quantity: '1' });
  await orderIn('submitted', accountId, other);
  const market = await order({});
  await orderIn('submitted', accountId, market);
  alpaca.fill(market, '10', '120');
  await orderIn('filled', accountId, market);
  expect(await funds(db, accountId)).toEqual(['0.00', '100.00']);
  const entries = await listLedgerEntries(db, accountId, { limit: 100 });
  const ofFill = entries.data.filter(({ kind }) => kind === 'fill');
  expect(
    Object.fromEntries(ofFill.map(({ ledger: name, amount }) => [name, amount.toFixed()])),
  ).toEqual({ cash: '-1100', payable: '-100', securities: '1200' });

  // The other goes on, with nothing left to pay it with.
  expect(await held(accountId)).toBe('50');
  alpaca.fill(other, '1', '49');
  await orderIn('filled', accountId, other);
  expect(await funds(db, accountId)).toEqual(['0.00', '149.00']);

  const sale = await order({ side: 'sell', quantity: '11' });
  await orderIn('submitted', accountId, sale);
  alpaca.fill(sale, '11', '100');
  await orderIn('filled', accountId, sale);
  expect(await funds(db, accountId)).toEqual(['1100.00', '149.00']);
  await allSettled();
  await expectBalancedBooks(db);
});

const at = new Date();

/** All of an order filled at a price. */
const filled = (quantity: string, price: string, broker: string, id: string): Step => ({
  plan: {
    path: ['submitted', 'filled'],
    fill: { quantity: decimal(quantity), price: decimal(price) },
    rejectCode: null,
  },
  executionId: `${broker}-${id}`,
  takenAs: { broker, brokerOrderId: id },
  at,
  requestId: null,
});

test('what one fill of a batch leaves owed, the next trades of the batch find', async () => {
  const { db, ledger, quotes } = await startStack();
  const { accountId } = await createTestAccount(db, { cash: '550.00' });
  const accept = async (order: TestOrder) => {
    const orderId = await acceptTestOrder(db, ledger, accountId, order, { handOver: false });
    return { orderId, accountId };
  };
  const outside = [await accept({ quantity: '5' }), await accept({ quantity: '5' })];
  const ids = outside.map(({ orderId }) => orderId);
  const taken = { broker: 'alpaca', holdPrice: '105' };
  await db.order.updateMany({ where: { id: { in: ids } }, data: taken });
  const sale = await accept({ side: 'sell', quantity: '10' });
  const tooMuch = await accept({ quantity: '4' });
  const covered = await accept({ quantity: '3' });
  const quote = await quotes.quote('AAPL', at);

  await transaction(db, async (tx) => {
    const books = await openTradeBooks(tx, [...outside, sale, tooMuch, covered]);
    const { book } = entryOf(books, sale);
    const left = () => [book.cash.toFixed(), book.heldCash.toFixed(), book.owed.toFixed()];
    const seen: string[][] = [];
    const reported = outside.flatMap((one) => {
      const { order } = entryOf(books, one);
      const trade = carryOut(books, order, filled('5', '120', 'alpaca', one.orderId));
      seen.push(left());
      return trade ?? [];
    });
    const ours = [sale, tooMuch, covered].flatMap((one) => {
      const trade = tradeOrder(books, { ...one, quote, at, from: ['accepted'], requestId: null });
      seen.push(left());
      return trade ?? [];
    });
    expect(seen).toEqual([
      ['0', '525', '50'],
      ['0', '0', '650'],
      ['999', '0', '650'],
      ['999', '0', '650'],
      ['699', '0', '650'],
    ]);
    await writeTrades(tx, ledger, books, [...reported, ...ours]);
  });
  expect(await funds(db, accountId)).toEqual(['699.00', '650.00']);
  expect(await db.order.findMany({ where: { status: { not: 'filled' } } })).toMatchObject([
    { id: tooMuch.orderId, status: 'rejected', rejectCode: 'insufficient_funds' },
  ]);
  await expectBalancedBooks(db);
});

test('no fill of the paper broker is ever owed', async () => {
  const { db, ledger } = await startStack();
  const { accountId } = await createTestAccount(db, { cash: '999.99' });
  const orderId = await acceptTestOrder(db, ledger, accountId, {}, { handOver: false });
  const ids = { orderId, accountId };
  await transaction(db, async (tx) => {
    const books = await openTradeBooks(tx, [ids]);
    const { order, book } = entryOf(books, ids);
    expect(() => carryOut(books, order, filled('10', '100', 'paper', orderId))).toThrow(
      `order ${orderId} costs $0.01 more than there is`,
    );
    expect([book.cash.toFixed(), book.owed.toFixed()]).toEqual(['999.99', '0']);
  });
});
