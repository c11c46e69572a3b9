import type { Database } from '@gatehouse/db/client';
import { findOrder, requestCancel } from '@gatehouse/db/orders';
import { transaction } from '@gatehouse/db/transaction';
import { ORDER_STATUSES } from '@gatehouse/domain/order';
import { OrderSchema, orderView } from '@gatehouse/domain/order-view';
import { cancelTrade } from '@gatehouse/jobs/definitions/cancel-trade';
import { acceptTestOrder, createTestAccount } from '@gatehouse/testing/fixtures';
import { createIdleLedger } from '@gatehouse/testing/idle-ledger';
import { expect, test } from 'vitest';
import { createTradeSettlement } from '../src/trading/settle-trades.ts';
import { startOutside } from './outside.ts';
import { testQuotes } from './quotes.ts';
import { startStack } from './stack.ts';

const DAY_MS = 24 * 60 * 60 * 1000;

/** What was told of an account's orders after their acceptance, in its order. */
async function toldOf(db: Database, accountId: string) {
  const events = await db.event.findMany({
    where: { accountId, type: { in: ORDER_STATUSES.map((status) => `order.${status}`) } },
    orderBy: { insertion: 'asc' },
  });
  expect(events[0]?.type).toBe('order.accepted');
  return events.slice(1).map(({ type, data, requestId, createdAt }) => {
    const { status, version, updatedAt, ...rest } = Object(data);
    expect([type, updatedAt]).toEqual([`order.${status}`, createdAt.toISOString()]);
    expect(Object.keys(Object(data))).toEqual(Object.keys(OrderSchema.properties));
    return { type, requestId, version, filled: rest.filledQuantity, data };
  });
}

/** The order as the gateway shows it, as it is in the database. */
async function shown(db: Database, accountId: string, orderId: string) {
  const order = await findOrder(db, accountId, orderId);
  return order && orderView(order);
}

test('an order that fills at once is told as filled, just as it is then, and traced to its request', async () => {
  const { db, ledger, startWorker, orderIn, allSettled } = await startStack();
  await startWorker();
  const { accountId } = await createTestAccount(db);
  const traced = { requestId: 'of the client' };
  const orderId = await acceptTestOrder(db, ledger, accountId, { clientOrderId: 'mine' }, traced);
  await orderIn('filled', accountId, orderId);
  await allSettled();
  const told = await toldOf(db, accountId);
  expect(told).toMatchObject([{ type: 'order.filled', version: 2, ...traced, filled: '10' }]);
  expect(told[0]?.data).toEqual(await shown(db, accountId, orderId));
});

test('an order that rests is told at each step: resting, each fill, the last', async () => {
  const { db, ledger, quotes, startWorker, orderIn } = await startStack();
  await startWorker();
  const { accountId } = await createTestAccount(db);
  const orderId = await acceptTestOrder(db, ledger, accountId, { limitPrice: '95' });
  await orderIn('submitted', accountId, orderId);
  const parts = ['4', '3'].map((size) => ({ bid: '93.90', ask: '94.00', size }));
  const [first = { bid: '1', ask: '1' }, ...others] = parts;
  quotes.set(first, ...others, { bid: '93.90', ask: '94.00' });
  await orderIn('filled', accountId, orderId);
  const told = await toldOf(db, accountId);
  expect(told).toMatchObject([
    { type: 'order.submitted', version: 2, filled: '0' },
    { type: 'order.partially_filled', version: 3, filled: '4' },
    { type: 'order.partially_filled', version: 4, filled: '7' },
    { type: 'order.filled', version: 5, filled: '10' },
  ]);
  expect(told.at(-1)?.data).toEqual(await shown(db, accountId, orderId));
});

test('an order that is canceled, rejected or expired is told so', async () => {
  const { db, ledger, startWorker, orderIn, allSettled } = await startStack();
  await startWorker();
  const [owner, poor, late] = [
    await createTestAccount(db),
    await createTestAccount(db, { cash: '1.00' }),
    await createTestAccount(db),
  ];
  const resting = await acceptTestOrder(db, ledger, owner.accountId, { limitPrice: '95' });
  await orderIn('submitted', owner.accountId, resting);
  await transaction(db, async (tx) => {
    await requestCancel(tx, owner.accountId, resting, new Date());
    const ids = { orderId: resting, accountId: owner.accountId };
    await ledger.enqueue(tx, cancelTrade, ids, { requestId: 'of the cancel' });
  });
  const uncovered = await acceptTestOrder(db, ledger, poor.accountId);
  const createdAt = new Date(Date.now() - DAY_MS);
  const old = await acceptTestOrder(db, ledger, late.accountId, { createdAt });
  await orderIn('canceled', owner.accountId, resting);
  await orderIn('rejected', poor.accountId, uncovered);
  await orderIn('expired', late.accountId, old);
  await allSettled();

  const canceled = await toldOf(db, owner.accountId);
  // Whoever comes first, the job or the round of the resting orders, cancels it: the latter for nobody's request.
  expect(canceled).toMatchObject([
    { type: 'order.submitted', version: 2 },
    { type: 'order.canceled', version: 4 },
  ]);
  expect(canceled[1]?.data).toEqual(await shown(db, owner.accountId, resting));
  const rejected = await toldOf(db, poor.accountId);
  expect(rejected.map(({ type, data }) => [type, Object(data).rejectCode])).toEqual([
    ['order.rejected', 'insufficient_funds'],
  ]);
  expect(rejected[0]?.data).toEqual(await shown(db, poor.accountId, uncovered));
  const expired = await toldOf(db, late.accountId);
  expect(expired.map(({ type }) => type)).toEqual(['order.expired']);
  expect(expired[0]?.data).toEqual(await shown(db, late.accountId, old));
});

test('an order whose answer is lost is told as unknown, then as what it became; its intent is nobody’s business', async () => {
  const stack = await startOutside();
  const { alpaca, db, ledger, startWorker, orderIn, allSettled, silentAfterSubmission } = stack;
  await startWorker();
  alpaca.onSubmit('hang after accepting');
  silentAfterSubmission();
  const { accountId } = await createTestAccount(db);
  const traced = { requestId: 'of the client' };
  const orderId = await acceptTestOrder(db, ledger, accountId, {}, traced);
  await orderIn('unknown', accountId, orderId);
  expect((await toldOf(db, accountId)).map(({ type }) => type)).toEqual(['order.unknown']);
  alpaca.resume();
  await orderIn('filled', accountId, orderId);
  await allSettled();
  const told = await toldOf(db, accountId);
  expect(told).toMatchObject([
    { type: 'order.unknown', version: 3, ...traced },
    { type: 'order.filled', version: 4, ...traced, filled: '10' },
  ]);
  expect(told[1]?.data).toEqual(await shown(db, accountId, orderId));
  expect(told[1]?.data).toMatchObject({ brokerOrderId: alpaca.orders()[0]?.id });
});

test('two steps of an order in one batch are two events, each a version of it', async () => {
  const { db, ledger } = await startStack();
  const { accountId } = await createTestAccount(db);
  const unhanded = { handOver: false };
  const orderId = await acceptTestOrder(db, ledger, accountId, { limitPrice: '100' }, unhanded);
  const quotes = testQuotes();
  const at = new Date();
  const step = async (size: string) => {
    quotes.set({ bid: '99.90', ask: '100.00', size });
    const quote = await quotes.quote('AAPL', at);
    const from = ['accepted', 'partially_filled'] as const;
    return { orderId, accountId, quote, at, from, requestId: null };
  };
  const steps = [await step('4'), await step('100')];
  await transaction(db, (tx) => createTradeSettlement(createIdleLedger())(tx, steps));
  const told = await toldOf(db, accountId);
  expect(told).toMatchObject([
    { type: 'order.partially_filled', version: 2, filled: '4' },
    { type: 'order.filled', version: 3, filled: '10' },
  ]);
  expect(told[1]?.data).toEqual(await shown(db, accountId, orderId));
});
