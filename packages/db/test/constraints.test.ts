import { testDatabase } from '@gatehouse/testing/database';
import { expect, onTestFinished, test } from 'vitest';
import { livedThrough } from './paying.ts';
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

test.each([
  ['an account that is owed', 'UPDATE account SET owed = -0.01'],
  ['a deposit of nothing', 'UPDATE deposit SET amount = 0'],
  ['less than nothing received', 'UPDATE deposit SET received_amount = -1'],
  ['success at no time', 'UPDATE deposit SET succeeded_at = NULL'],
  ['a time of success without', 'UPDATE deposit SET succeeded_at = now()'],
  ['a pending deposit without its payment', `UPDATE deposit SET status = 'pending'`],
  ['two deposits with one payment', `UPDATE deposit SET payment_intent_id = 'pi'`],
  ['a movement of nothing', 'UPDATE deposit_movement SET amount = 0'],
  ['a refund of a dispute', `UPDATE deposit_movement SET kind = 'refund' WHERE kind = 'dispute'`],
  ['a dispute of nothing', 'UPDATE deposit_dispute SET amount = 0'],
  ['movements without their deposit', 'DELETE FROM deposit'],
])('the database refuses %s', async (_, statement) => {
  const { db, drop } = await testDatabase();
  onTestFinished(drop);
  await livedThrough(db);
  await expect(db.$executeRawUnsafe(statement)).rejects.toThrow(
    /violates (check|foreign key) constraint|RestrictViolation|constraint/i,
  );
});
