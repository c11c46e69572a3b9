import { findAccount } from '@gatehouse/db/accounts';
import { findPosition } from '@gatehouse/db/positions';
import { acceptTestOrder, createTestAccount } from '@gatehouse/testing/fixtures';
import { expect, test } from 'vitest';
import { expectBalancedBooks } from './books.ts';
import { startStack } from './stack.ts';

const LARGEST = { quantity: '999999999.999999', limitPrice: '999999.9999' };

test('the largest order that the gateway takes is filled, booked and sold again', async () => {
  const { db, ledger, quotes, startWorker, orderIn, allSettled } = await startStack();
  await startWorker();
  quotes.set({
    bid: LARGEST.limitPrice,
    ask: LARGEST.limitPrice,
    size: '9999999999',
  });
  const { accountId } = await createTestAccount(db, { cash: '1000000000000000.00' });
  const bought = await orderIn(
    'filled',
    accountId,
    await acceptTestOrder(db, ledger, accountId, LARGEST),
  );
  expect(bought.averageFillPrice?.toFixed()).toBe(LARGEST.limitPrice);
  const position = await findPosition(db, { accountId, symbol: 'AAPL', positionType: 'stock' });
  expect(position?.quantity.toFixed()).toBe(LARGEST.quantity);
  // 999999999899999.0000000001, rounded up to the cent; the sale is rounded down.
  expect(position?.costBasis.toFixed(2)).toBe('999999999899999.01');
  await orderIn(
    'filled',
    accountId,
    await acceptTestOrder(db, ledger, accountId, { ...LARGEST, side: 'sell' }),
  );
  expect((await findAccount(db, accountId)).cash.toFixed(2)).toBe('999999999999999.99');
  await expectBalancedBooks(db);
  await allSettled();
});

test('many of the largest orders make one position', async () => {
  const { db, ledger, quotes, startWorker, orderIn, allSettled } = await startStack();
  await startWorker();
  quotes.set({ bid: '0.01', ask: '0.01', size: '9999999999' });
  const { accountId } = await createTestAccount(db, { cash: '100000000.00' });
  for (let index = 0; index < 3; index += 1) {
    const order = { quantity: LARGEST.quantity, limitPrice: '0.01' };
    await orderIn('filled', accountId, await acceptTestOrder(db, ledger, accountId, order));
  }
  const position = await findPosition(db, { accountId, symbol: 'AAPL', positionType: 'stock' });
  expect(position?.quantity.toFixed()).toBe('2999999999.999997');
  await expectBalancedBooks(db);
  await allSettled();
});
