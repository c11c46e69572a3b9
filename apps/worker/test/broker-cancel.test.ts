import { findAccount } from '@gatehouse/db/accounts';
import { until } from '@gatehouse/testing/condition';
import { acceptTestOrder, createTestAccount } from '@gatehouse/testing/fixtures';
import { expect, test } from 'vitest';
import { expectBalancedBooks } from './books.ts';
import { startOutside } from './outside.ts';

test('a cancel ends an order at the broker, which keeps what was filled and frees the rest', async () => {
  const { alpaca, db, ledger, startWorker, orderIn, allSettled, cancel, held } =
    await startOutside();
  alpaca.filling = 'by hand';
  await startWorker();
  const { accountId } = await createTestAccount(db, { cash: '1000.00' });
  const orderId = await acceptTestOrder(db, ledger, accountId, { limitPrice: '100' });
  await orderIn('submitted', accountId, orderId);
  alpaca.fill(orderId, '4', '100');
  await orderIn('partially_filled', accountId, orderId);
  await cancel(accountId, orderId);
  const order = await orderIn('canceled', accountId, orderId);
  expect([order.filledQuantity.toFixed(), order.fills.length]).toEqual(['4', 1]);
  expect(alpaca.orders()).toMatchObject([{ status: 'canceled', filledQuantity: '4' }]);
  await allSettled();
  expect(await held(accountId)).toBe('0');
  expect((await findAccount(db, accountId)).cash.toFixed()).toBe('600');
  await expectBalancedBooks(db);
});

test('a cancel brings the next look forward', async () => {
  const { alpaca, db, ledger, startWorker, orderIn, allSettled, cancel } = await startOutside();
  alpaca.filling = 'by hand';
  await startWorker();
  const { accountId } = await createTestAccount(db);
  const orderId = await acceptTestOrder(db, ledger, accountId);
  await orderIn('submitted', accountId, orderId);
  // An order that rests for long is looked at every half a minute.
  await db.order.update({ where: { id: orderId }, data: { createdAt: new Date(0) } });
  const far = await until(
    async () => {
      const [job] = await db.job.findMany();
      return job && job.runAt.getTime() > Date.now() + 20_000 && job;
    },
    { what: 'a look that is far off' },
  );
  await cancel(accountId, orderId);
  await orderIn('canceled', accountId, orderId);
  expect(Date.now()).toBeLessThan(far.runAt.getTime());
  await allSettled();
});

test('an order that nobody was asked to buy yet is canceled here, and the broker never hears of it', async () => {
  const { alpaca, db, ledger, startWorker, orderIn, allSettled, cancel } = await startOutside();
  const { accountId } = await createTestAccount(db);
  const orders = await Promise.all(
    Array.from({ length: 6 }, () => acceptTestOrder(db, ledger, accountId)),
  );
  for (const orderId of orders) await cancel(accountId, orderId);
  await startWorker();
  for (const orderId of orders) {
    const order = await orderIn('canceled', accountId, orderId);
    expect(order).toMatchObject({ broker: null, submittedAt: null, fills: [] });
  }
  await allSettled();
  expect(alpaca.submissions()).toBe(0);
  await expectBalancedBooks(db);
});

test('an order that is unknown is canceled once the broker has said that it has it', async () => {
  const { alpaca, db, ledger, startWorker, orderIn, allSettled, cancel, ...stack } =
    await startOutside();
  alpaca.filling = 'by hand';
  await startWorker();
  alpaca.onSubmit('hang after accepting');
  stack.silentAfterSubmission();
  const { accountId } = await createTestAccount(db);
  const orderId = await acceptTestOrder(db, ledger, accountId);
  await orderIn('unknown', accountId, orderId);
  await cancel(accountId, orderId);
  const wish = await until(
    () => db.job.findFirst({ where: { name: 'cancel-trade', generation: { gte: 1 } } }),
    { what: 'the wish to be put off' },
  );
  expect(wish).toMatchObject({ attempts: 0 });
  expect(wish.lastError).toContain('has not confirmed');
  await orderIn('unknown', accountId, orderId);
  await expectBalancedBooks(db);

  alpaca.resume();
  await orderIn('canceled', accountId, orderId);
  expect(alpaca.orders()).toMatchObject([{ status: 'canceled' }]);
  await allSettled();
  await expectBalancedBooks(db);
});

test('a cancel that comes after the fill changes nothing: the order is filled', async () => {
  const { alpaca, db, ledger, startWorker, orderIn, allSettled, cancel } = await startOutside();
  alpaca.filling = 'by hand';
  await startWorker();
  const { accountId } = await createTestAccount(db);
  const orderId = await acceptTestOrder(db, ledger, accountId);
  await orderIn('submitted', accountId, orderId);
  // Silent, so that nobody hears of the fill before the wish is there.
  alpaca.hang();
  alpaca.fill(orderId, '10', '100');
  await cancel(accountId, orderId);
  alpaca.resume();
  const order = await orderIn('filled', accountId, orderId);
  expect(order.cancelRequestedAt).not.toBeNull();
  expect(order.canceledAt).toBeNull();
  await allSettled();
  await expectBalancedBooks(db);
});

test('of orders that are canceled while they are taken to the broker, each ends once, as the broker says', async () => {
  const { alpaca, db, ledger, startWorker, allSettled, cancel } = await startOutside();
  alpaca.filling = 'by hand';
  await Promise.all([startWorker(), startWorker()]);
  const { accountId } = await createTestAccount(db);
  const ids = await Promise.all(
    Array.from({ length: 20 }, async () => {
      const orderId = await acceptTestOrder(db, ledger, accountId, { quantity: '1' });
      await cancel(accountId, orderId);
      return orderId;
    }),
  );
  await allSettled(30_000);
  const orders = await db.order.findMany();
  expect(orders.map(({ status }) => status)).toEqual(ids.map(() => 'canceled'));
  const there = new Map(alpaca.orders().map((order) => [order.clientOrderId, order.status]));
  for (const { id, brokerOrderId } of orders) {
    expect(there.get(id)).toBe(brokerOrderId === null ? undefined : 'canceled');
  }
  await expectBalancedBooks(db);
});
