import { findAccount } from '@gatehouse/db/accounts';
import { requestCancel } from '@gatehouse/db/orders';
import { transaction } from '@gatehouse/db/transaction';
import { cancelTrade } from '@gatehouse/jobs/definitions/cancel-trade';
import { acceptTestOrder, createTestAccount } from '@gatehouse/testing/fixtures';
import { expect, test } from 'vitest';
import { expectBalancedBooks } from './books.ts';
import { startStack, type TestStack } from './stack.ts';

const DAY_MS = 24 * 60 * 60 * 1000;

test('a limit order rests until the quote comes to it, then fills at the quote', async () => {
  const { db, ledger, quotes, smtp, startWorker, orderIn, allSettled } = await startStack();
  await startWorker();
  const { accountId } = await createTestAccount(db, { cash: '1000.00' });
  const orderId = await acceptTestOrder(db, ledger, accountId, { limitPrice: '95' });
  const resting = await orderIn('submitted', accountId, orderId);
  expect(resting).toMatchObject({ brokerOrderId: `paper-${orderId}`, fills: [], filledAt: null });
  await allSettled();

  quotes.set({ bid: '93.90', ask: '94.00' });
  const order = await orderIn('filled', accountId, orderId);
  expect(order.averageFillPrice?.toFixed()).toBe('94');
  expect((await findAccount(db, accountId)).cash.toFixed()).toBe('60');
  await allSettled();
  expect(smtp.received.map(({ subject }) => subject)).toEqual(['Bought 10 AAPL at $94.00']);
  await expectBalancedBooks(db);
});

test('a partial fill rests, and its confirmation covers all fills', async () => {
  const { db, ledger, quotes, smtp, startWorker, orderIn, allSettled } = await startStack();
  quotes.set({ bid: '99', ask: '100', size: '4' }, { bid: '98', ask: '99', size: '100' });
  await startWorker();
  const { accountId } = await createTestAccount(db);
  const orderId = await acceptTestOrder(db, ledger, accountId, { limitPrice: '100' });
  const order = await orderIn('filled', accountId, orderId);
  expect(order.fills.map(({ quantity }) => quantity.toFixed())).toEqual(['4', '6']);
  expect(order.averageFillPrice?.toFixed()).toBe('99.4');
  expect(order.version).toBe(3);
  await allSettled();
  expect(smtp.received[0]?.text).toContain('$994.00');
});

test('ioc takes what there is, fok takes all or nothing', async () => {
  const { db, ledger, quotes, startWorker, orderIn, allSettled } = await startStack();
  quotes.set({ bid: '99.90', ask: '100.00', size: '4' });
  await startWorker();
  const { accountId } = await createTestAccount(db);
  const ioc = await acceptTestOrder(db, ledger, accountId, { timeInForce: 'ioc' });
  const fok = await acceptTestOrder(db, ledger, accountId, { timeInForce: 'fok' });
  const away = { timeInForce: 'ioc', limitPrice: '90' } as const;
  const unmatched = await acceptTestOrder(db, ledger, accountId, away);

  const canceled = await Promise.all(
    [ioc, fok, unmatched].map((id) => orderIn('canceled', accountId, id)),
  );
  expect(canceled.map(({ filledQuantity }) => filledQuantity.toFixed())).toEqual(['4', '0', '0']);
  for (const order of canceled) expect(order.canceledAt).toEqual(order.submittedAt);
  await allSettled();
  await expectBalancedBooks(db);
});

test('a day order expires when its day is over, before it arrives or while it rests; gtc stays', async () => {
  const { db, ledger, startWorker, orderIn } = await startStack();
  await startWorker();
  const { accountId } = await createTestAccount(db);
  const yesterday = new Date(Date.now() - DAY_MS);
  const late = await acceptTestOrder(db, ledger, accountId, { createdAt: yesterday });
  const expired = await orderIn('expired', accountId, late);
  expect(expired).toMatchObject({ submittedAt: null, fills: [] });

  const limit = { limitPrice: '90' };
  const day = await acceptTestOrder(db, ledger, accountId, limit);
  const gtc = await acceptTestOrder(db, ledger, accountId, { ...limit, timeInForce: 'gtc' });
  await orderIn('submitted', accountId, day);
  await orderIn('submitted', accountId, gtc);
  await db.order.updateMany({ where: { id: { in: [day, gtc] } }, data: { createdAt: yesterday } });
  await orderIn('expired', accountId, day);
  await orderIn('submitted', accountId, gtc);
});

test('resting orders hold the cash and the shares they may take', async () => {
  const { db, ledger, quotes, startWorker, orderIn } = await startStack();
  await startWorker();
  const { accountId } = await createTestAccount(db, { cash: '1900.00' });
  const limit = { limitPrice: '95' };
  const first = await acceptTestOrder(db, ledger, accountId, limit);
  await orderIn('submitted', accountId, first);
  const tooMuch = await acceptTestOrder(db, ledger, accountId, { ...limit, quantity: '10.01' });
  expect(await orderIn('rejected', accountId, tooMuch)).toMatchObject({
    rejectCode: 'insufficient_funds',
  });
  const market = await acceptTestOrder(db, ledger, accountId);
  await orderIn('rejected', accountId, market);
  const second = await acceptTestOrder(db, ledger, accountId, limit);
  await orderIn('submitted', accountId, second);

  quotes.set({ bid: '95.00', ask: '95.00' });
  await orderIn('filled', accountId, first);
  await orderIn('filled', accountId, second);
  expect((await findAccount(db, accountId)).cash.toFixed()).toBe('0');

  const sell = { side: 'sell', limitPrice: '120', quantity: '15' } as const;
  await orderIn('submitted', accountId, await acceptTestOrder(db, ledger, accountId, sell));
  const over = await acceptTestOrder(db, ledger, accountId, { ...sell, quantity: '5.5' });
  expect(await orderIn('rejected', accountId, over)).toMatchObject({
    rejectCode: 'insufficient_position',
  });
  const rest = await acceptTestOrder(db, ledger, accountId, { side: 'sell', quantity: '5' });
  await orderIn('filled', accountId, rest);
  await expectBalancedBooks(db);
});

test('two resting buys that together exceed the cash: of two at once one is rejected', async () => {
  const { db, ledger, startWorker, allSettled } = await startStack();
  await startWorker();
  const { accountId } = await createTestAccount(db, { cash: '1899.99' });
  const limit = { limitPrice: '95' };
  await Promise.all([1, 2].map(() => acceptTestOrder(db, ledger, accountId, limit)));
  await allSettled();
  const orders = await db.order.findMany({ where: { accountId } });
  expect(orders.map(({ status }) => status).sort()).toEqual(['rejected', 'submitted']);
});

test('a cancel ends a resting order and frees what it held', async () => {
  const stack = await startStack();
  const { db, ledger, startWorker, orderIn, allSettled } = stack;
  await startWorker();
  const { accountId } = await createTestAccount(db, { cash: '1000.00' });
  const orderId = await acceptTestOrder(db, ledger, accountId, { limitPrice: '95' });
  await orderIn('submitted', accountId, orderId);
  await cancel(stack, accountId, orderId);
  const order = await orderIn('canceled', accountId, orderId);
  expect(order.canceledAt).not.toBeNull();
  await orderIn('filled', accountId, await acceptTestOrder(db, ledger, accountId));
  await allSettled();
});

test('a cancel before the order was executed stops it, whichever job comes first', async () => {
  const stack = await startStack();
  const { db, ledger, startWorker, orderIn, allSettled } = stack;
  const { accountId } = await createTestAccount(db);
  const orders = await Promise.all(
    Array.from({ length: 6 }, () => acceptTestOrder(db, ledger, accountId)),
  );
  for (const orderId of orders) await cancel(stack, accountId, orderId);
  await startWorker();
  for (const orderId of orders) {
    const order = await orderIn('canceled', accountId, orderId);
    expect(order).toMatchObject({ fills: [], submittedAt: null });
  }
  await allSettled();
});

test('a cancel after the order was filled changes nothing', async () => {
  const stack = await startStack();
  const { db, ledger, startWorker, orderIn, allSettled } = stack;
  await startWorker();
  const { accountId } = await createTestAccount(db);
  const orderId = await acceptTestOrder(db, ledger, accountId);
  const filled = await orderIn('filled', accountId, orderId);
  await transaction(db, (tx) =>
    ledger.enqueue(tx, cancelTrade, { orderId, accountId }, { requestId: null }),
  );
  await allSettled();
  expect(await orderIn('filled', accountId, orderId)).toEqual(filled);
});

/** Asks for a cancel as the gateway does. */
async function cancel(
  { db, ledger }: TestStack,
  accountId: string,
  orderId: string,
): Promise<void> {
  await transaction(db, async (tx) => {
    expect(await requestCancel(tx, accountId, orderId, new Date())).toBe(true);
    await ledger.enqueue(tx, cancelTrade, { orderId, accountId }, { requestId: null });
  });
}
