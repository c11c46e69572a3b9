import { findAccount } from '@gatehouse/db/accounts';
import { findPosition } from '@gatehouse/db/positions';
import { acceptTestOrder, createTestAccount } from '@gatehouse/testing/fixtures';
import { expect, test } from 'vitest';
import { expectBalancedBooks } from './books.ts';
import { startStack } from './stack.ts';

test('a market order is filled, booked, confirmed by e-mail, and nothing is owed', async () => {
  const { db, ledger, smtp, startWorker, orderIn, allSettled } = await startStack();
  await startWorker();
  const { accountId, email } = await createTestAccount(db, { cash: '5000.00' });
  const orderId = await acceptTestOrder(db, ledger, accountId, { quantity: '10.5' });

  const order = await orderIn('filled', accountId, orderId);
  expect(order.fills).toHaveLength(1);
  expect(order.fills[0]).toMatchObject({ executionId: `${orderId}-1` });
  expect(order.fills[0]?.price.toFixed()).toBe('100');
  expect(order).toMatchObject({ brokerOrderId: `paper-${orderId}`, version: 2 });
  expect(order.averageFillPrice?.toFixed()).toBe('100');
  expect(order.submittedAt).toEqual(order.filledAt);

  const position = await findPosition(db, { accountId, symbol: 'AAPL', positionType: 'stock' });
  expect(position?.quantity.toFixed()).toBe('10.5');
  expect(position?.costBasis.toFixed()).toBe('1050');
  expect((await findAccount(db, accountId)).cash.toFixed()).toBe('3950');
  await expectBalancedBooks(db);

  await allSettled();
  const row = await db.email.findFirstOrThrow({ where: { accountId } });
  expect(row).toMatchObject({ status: 'sent', template: 'order-confirmation' });
  expect(smtp.received).toHaveLength(1);
  const mail = smtp.received[0];
  expect(mail?.messageId).toBe(`<${row.id}@gatehouse.test>`);
  expect(mail?.to).toEqual([{ name: '', address: email }]);
  expect(mail?.from).toEqual({ name: 'Gatehouse', address: 'no-reply@gatehouse.test' });
  expect(mail?.subject).toBe('Bought 10.5 AAPL at $100.00');
  for (const shown of ['AAPL', 'Buy', '10.5', '$100.00', '$1050.00', orderId]) {
    expect(mail?.text).toContain(shown);
    expect(mail?.html).toContain(shown);
  }
});

test('a sell takes from the position and pays out the bid', async () => {
  const { db, ledger, quotes, startWorker, orderIn } = await startStack();
  await startWorker();
  const { accountId } = await createTestAccount(db, { cash: '1000.00' });
  await orderIn('filled', accountId, await acceptTestOrder(db, ledger, accountId));
  quotes.set({ bid: '110.00', ask: '110.10' });
  const sellId = await acceptTestOrder(db, ledger, accountId, { side: 'sell', quantity: '4' });
  await orderIn('filled', accountId, sellId);

  const position = await findPosition(db, { accountId, symbol: 'AAPL', positionType: 'stock' });
  expect(position?.quantity.toFixed()).toBe('6');
  expect(position?.realizedPnl.toFixed()).toBe('40');
  expect((await findAccount(db, accountId)).cash.toFixed()).toBe('440');
  await expectBalancedBooks(db);
});

test('what cash or holdings do not cover is rejected, and nothing moves', async () => {
  const { db, ledger, smtp, startWorker, orderIn, allSettled } = await startStack();
  await startWorker();
  const { accountId } = await createTestAccount(db, { cash: '999.99' });
  const buyId = await acceptTestOrder(db, ledger, accountId);
  const buy = await orderIn('rejected', accountId, buyId);
  expect(buy).toMatchObject({ rejectCode: 'insufficient_funds', submittedAt: null });
  expect(buy.rejectReason).toMatch(/cash/);

  const sellId = await acceptTestOrder(db, ledger, accountId, {
    side: 'sell',
    quantity: '0.000001',
  });
  const sell = await orderIn('rejected', accountId, sellId);
  expect(sell).toMatchObject({ rejectCode: 'insufficient_position', fills: [] });

  await allSettled();
  expect((await findAccount(db, accountId)).cash.toFixed()).toBe('999.99');
  expect(await db.ledgerTransaction.count({ where: { kind: 'fill' } })).toBe(0);
  expect(smtp.attempts).toBe(0);
});

test('an order for exactly all of the cash is filled', async () => {
  const { db, ledger, startWorker, orderIn } = await startStack();
  await startWorker();
  const { accountId } = await createTestAccount(db, { cash: '1000.00' });
  await orderIn('filled', accountId, await acceptTestOrder(db, ledger, accountId));
  expect((await findAccount(db, accountId)).cash.toFixed()).toBe('0');
});

test('a market order larger than the book fills in parts, as far as the cash goes', async () => {
  const { db, ledger, quotes, startWorker, orderIn, allSettled } = await startStack();
  const market = { bid: '99.90', ask: '100.00', size: '4' };
  // 300.00 are left after two fills; the remaining two shares would cost 400.00.
  quotes.set(market, market, { bid: '199.90', ask: '200.00', size: '4' });
  await startWorker();
  const { accountId } = await createTestAccount(db, { cash: '1100.00' });
  const orderId = await acceptTestOrder(db, ledger, accountId);
  const order = await orderIn('canceled', accountId, orderId);
  expect(order.filledQuantity.toFixed()).toBe('8');
  expect(order.fills.map(({ executionId }) => executionId)).toEqual([
    `${orderId}-1`,
    `${orderId}-2`,
  ]);
  await allSettled();
  await expectBalancedBooks(db);
});
