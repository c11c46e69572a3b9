import { newId } from '@gatehouse/domain/id';
import type { OrderStatus } from '@gatehouse/domain/order';
import { testDatabase } from '@gatehouse/testing/database';
import { expect, onTestFinished, test } from 'vitest';
import type { Database } from '../src/client.ts';
import { insertJobs } from '../src/jobs.ts';
import { acceptOrders } from '../src/order-acceptance.ts';
import { broken, expectNoticed } from './tampering.ts';
import { acceptance, filledOrder } from './trading.ts';

const ENTRIES = 'the entries of every ledger transaction add up to zero';
const CASH = 'every cash balance is the sum of its entries, and not negative';
const SECURITIES = "an account's securities in the ledger are what its positions cost";
const FILLS = 'every fill has its ledger transaction, and every such transaction its fill';
const POSITION = 'every position is the sum of its fills, and not negative';
const QUANTITY =
  "every order's filled quantity is the sum of its fills, all of it when it is filled";
const EXECUTION = 'no execution is counted twice';
const FINAL = 'no order left a final state';
const OWED = 'every accepted order, and every wish to cancel an open one, is owed its job';
const OUTSIDE =
  'every order that a broker outside has, or may have, is owed its execute-trade or one reconcile-trade';
const MAIL = 'every queued mail is owed its job';
const FORGOTTEN = 'every password that somebody forgot is owed its job';
const REMINDER = 'every task that is to be reminded of is owed its reminder';

test.each<[string, string, string[]]>([
  [
    'a cent in an entry',
    `UPDATE ledger_entry SET amount = amount + 0.01 WHERE ledger = 'equity'`,
    [ENTRIES],
  ],
  ['a cent in a balance', 'UPDATE account SET cash = cash + 0.01', [CASH]],
  ['a negative balance', 'UPDATE account SET cash = -1', [CASH]],
  [
    'a lost set of entries',
    `DELETE FROM ledger_entry USING ledger_transaction t WHERE t.id = transaction_id AND t.kind = 'fill'`,
    [ENTRIES, CASH, SECURITIES],
  ],
  ['a cheaper position', 'UPDATE position SET cost_basis = cost_basis - 1', [SECURITIES]],
  ['a larger position', 'UPDATE position SET quantity = quantity + 1', [POSITION]],
  ['a lost position', 'DELETE FROM position', [SECURITIES, POSITION]],
  ['a lost fill', 'DELETE FROM fill', [FILLS, POSITION, QUANTITY]],
  ['a smaller fill', 'UPDATE fill SET quantity = quantity - 1', [POSITION, QUANTITY]],
  [
    'a fill counted twice',
    `DROP INDEX fill_execution_id_key; INSERT INTO fill SELECT gen_random_uuid(), order_id, account_id, execution_id, quantity, price, executed_at FROM fill`,
    [FILLS, POSITION, QUANTITY, EXECUTION],
  ],
  ['a filled order reopened', `UPDATE "order" SET status = 'submitted'`, [QUANTITY, FINAL]],
  [
    'a filled order canceled',
    `UPDATE "order" SET status = 'canceled', canceled_at = now()`,
    [QUANTITY, FINAL],
  ],
  [
    'a lost job of an order',
    `UPDATE "order" SET status = 'accepted', filled_quantity = 0, filled_at = NULL; DELETE FROM ledger_entry; DELETE FROM ledger_transaction; DELETE FROM fill; DELETE FROM position; UPDATE account SET cash = 0`,
    [OWED],
  ],
  [
    'a mail that nobody sends',
    `INSERT INTO email SELECT gen_random_uuid(), id, 'a@example.com', 'x', '{}', 'queued', now() FROM account`,
    [MAIL],
  ],
  [
    'a reminder that nobody sends',
    `INSERT INTO task (id, account_id, title, due_at, created_at, updated_at) SELECT gen_random_uuid(), id, 'x', now(), now(), now() FROM account`,
    [REMINDER],
  ],
  [
    'a forgotten password that nobody looks into',
    `INSERT INTO password_reset_request (id, email) VALUES (gen_random_uuid(), 'a@example.com')`,
    [FORGOTTEN],
  ],
])('%s is noticed', async (_, tampering, expected) => {
  await expectNoticed(filledOrder, tampering, expected);
});

test('an order that is accepted and owed is in order', async () => {
  const { db, drop } = await testDatabase();
  onTestFinished(drop);
  const { accountId } = await filledOrder(db);
  await acceptOrders(db, [acceptance(accountId)]);
  expect(await broken(db)).toEqual([]);
  await db.job.deleteMany();
  expect(await broken(db)).toEqual([OWED]);
});

/** An open order at a broker, with the jobs of these names about it. */
async function orderAt(db: Database, broker: string, status: OrderStatus, ...jobs: string[]) {
  const { accountId } = await filledOrder(db);
  const { order, job, record } = acceptance(accountId);
  await acceptOrders(db, [{ order, job, record }]);
  await db.job.deleteMany();
  await db.order.update({ where: { id: order.id }, data: { status, broker } });
  const rows = jobs.map((name) => ({ ...job, id: newId(), name }));
  await db.$transaction((tx) => insertJobs(tx, rows));
  return order.id;
}

const wish = { cancelRequestedAt: new Date() };

test.each<[string, OrderStatus, string[], string[], boolean?]>([
  ['alpaca', 'accepted', ['execute-trade'], []],
  ['alpaca', 'accepted', ['reconcile-trade'], [OWED, OUTSIDE]],
  ['alpaca', 'submitted', ['reconcile-trade'], []],
  ['alpaca', 'submitted', ['execute-trade'], [OUTSIDE]],
  ['alpaca', 'submitted', ['reconcile-trade', 'reconcile-trade'], [OUTSIDE]],
  ['alpaca', 'partially_filled', [], [OUTSIDE]],
  ['alpaca', 'unknown', ['reconcile-trade'], []],
  ['alpaca', 'unknown', [], [OUTSIDE]],
  ['alpaca', 'unknown', ['cancel-trade', 'reconcile-trade'], [], true],
  ['alpaca', 'submitted', ['reconcile-trade'], [], true],
  ['alpaca', 'submitted', ['cancel-trade'], [OUTSIDE], true],
  ['alpaca', 'submitted', [], [OWED, OUTSIDE], true],
  ['paper', 'submitted', [], []],
  ['paper', 'submitted', ['cancel-trade'], [], true],
  ['paper', 'submitted', ['reconcile-trade'], [OWED], true],
])('at %s, %s and owed %j: breaks %j', async (broker, status, jobs, expected, isToBeCanceled) => {
  const { db, drop } = await testDatabase();
  onTestFinished(drop);
  const id = await orderAt(db, broker, status, ...jobs);
  if (isToBeCanceled) await db.order.update({ where: { id }, data: wish });
  expect((await broken(db)).sort()).toEqual([...expected].sort());
});
