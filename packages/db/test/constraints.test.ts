import { testDatabase } from '@gatehouse/testing/database';
import { expect, onTestFinished, test } from 'vitest';
import { filledOrder } from './trading.ts';

test.each([
  ['negative cash', 'UPDATE account SET cash = -0.01'],
  ['a negative position', 'UPDATE position SET quantity = -1'],
  ['a negative cost basis', 'UPDATE position SET cost_basis = -1'],
  ['more filled than ordered', 'UPDATE "order" SET filled_quantity = quantity + 1'],
  ['filled in part', 'UPDATE "order" SET filled_quantity = quantity - 1'],
  ['an order of nothing', 'UPDATE "order" SET quantity = 0, filled_quantity = 0'],
  ['a market order with a limit', 'UPDATE "order" SET limit_price = 1'],
  ['a limit order without', `UPDATE "order" SET type = 'limit'`],
  ['rejected for no reason', `UPDATE "order" SET status = 'rejected', filled_quantity = 0`],
  ['a fill of nothing', 'UPDATE fill SET quantity = 0'],
  ['a fill for nothing', 'UPDATE fill SET price = 0'],
  ['an account without its owner', 'DELETE FROM account'],
])('the database refuses %s', async (_, statement) => {
  const { db, drop } = await testDatabase();
  onTestFinished(drop);
  await filledOrder(db);
  await expect(db.$executeRawUnsafe(statement)).rejects.toThrow(
    /violates (check|foreign key) constraint|RestrictViolation|constraint/i,
  );
});
