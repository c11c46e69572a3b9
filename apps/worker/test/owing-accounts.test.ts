import { acceptTestOrder, createTestAccount } from '@gatehouse/testing/fixtures';
import { takeFromAccount } from '@gatehouse/testing/taken-money';
import { expect, test } from 'vitest';
import { expectBalancedBooks, funds } from './books.ts';
import { startOutside } from './outside.ts';
import { startStack } from './stack.ts';

test('who owes can sell, and buy with what is left above what he owes', async () => {
  const { db, ledger, startWorker, orderIn, allSettled } = await startStack();
  await startWorker();
  const { accountId } = await createTestAccount(db, { cash: '1000.00' });
  const order = (changes: Parameters<typeof acceptTestOrder>[3]) =>
    acceptTestOrder(db, ledger, accountId, changes);
  await orderIn('filled', accountId, await order({ quantity: '5' }));
  await takeFromAccount(db, accountId, 800_00);
  expect(await funds(db, accountId)).toEqual(['0.00', '300.00']);
  await orderIn('filled', accountId, await order({ side: 'sell', quantity: '5' }));
  expect(await funds(db, accountId)).toEqual(['499.50', '300.00']);

  const tooMuch = await orderIn('rejected', accountId, await order({ quantity: '1.9951' }));
  expect(tooMuch).toMatchObject({ rejectCode: 'insufficient_funds', fills: [] });
  await orderIn('filled', accountId, await order({ quantity: '1.995' }));
  expect(await funds(db, accountId)).toEqual(['300.00', '300.00']);
  const least = await orderIn('rejected', accountId, await order({ quantity: '0.000001' }));
  expect(least.rejectCode).toBe('insufficient_funds');
  await allSettled();
  await expectBalancedBooks(db);
});

test('who owes more than he has keeps the orders that rest, until one would spend what he owes', async () => {
  const { db, ledger, quotes, startWorker, orderIn, allSettled } = await startStack();
  await startWorker();
  const { accountId } = await createTestAccount(db, { cash: '1000.00' });
  const limit = (limitPrice: string) => acceptTestOrder(db, ledger, accountId, { limitPrice });
  const [near, far] = [await limit('60'), await limit('40')];
  for (const id of [near, far]) await orderIn('submitted', accountId, id);
  await takeFromAccount(db, accountId, 2_500_00);
  // Held by both orders, so none of it is taken.
  expect(await funds(db, accountId)).toEqual(['1000.00', '2500.00']);

  // Nothing is bought by one that finds no price: it is not refused, it just ends.
  const away = { limitPrice: '1', timeInForce: 'ioc' } as const;
  await orderIn('canceled', accountId, await acceptTestOrder(db, ledger, accountId, away));
  quotes.set({ bid: '49.90', ask: '50.00' });
  expect((await orderIn('canceled', accountId, near)).fills).toEqual([]);
  await allSettled();
  expect(await orderIn('submitted', accountId, far)).toMatchObject({ fills: [] });
  expect(await funds(db, accountId)).toEqual(['1000.00', '2500.00']);
  await expectBalancedBooks(db);
});

test('an order of who owes never reaches a broker outside', async () => {
  const { alpaca, db, ledger, startWorker, orderIn, allSettled } = await startOutside();
  await startWorker();
  const { accountId } = await createTestAccount(db, { cash: '1000.00' });
  await takeFromAccount(db, accountId, 1_000_01);
  const order = await acceptTestOrder(db, ledger, accountId, { quantity: '0.0001' });
  expect(await orderIn('rejected', accountId, order)).toMatchObject({
    rejectCode: 'insufficient_funds',
    broker: null,
  });
  expect(alpaca.submissions()).toBe(0);
  await allSettled();
  await expectBalancedBooks(db);
});
