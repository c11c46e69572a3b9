import { testDatabase } from '@gatehouse/testing/database';
import { expect, onTestFinished, test } from 'vitest';
import { livedThrough } from './paying.ts';
import { broken, expectNoticed, tamper } from './tampering.ts';

const ENTRIES = 'the entries of every ledger transaction add up to zero';
const CASH = 'every cash balance is the sum of its entries, and not negative';
const OWES = 'what every account owes is the sum of its payable entries, and not negative';
const MOVEMENTS =
  'every movement of a deposit has one ledger transaction of its amount in its account, and every such transaction its movement';
const POSTED = 'what was posted for every deposit is what is known of it';
const KEYS = 'every key that a deposit was begun under leads to it';
const MAKING = 'every deposit that is being made is owed its job';
const RECEIVED = 'every event of Stripe that was received is owed its job';

const ledgerOf = (kind: string) => `ledger_transaction WHERE kind = '${kind}'`;

test.each<[string, string, string[]]>([
  ['less that is owed', 'UPDATE account SET owed = owed - 0.01', [OWES]],
  ['less than nothing that is owed', 'UPDATE account SET owed = -1', [OWES]],
  [
    'an entry that is owed and lost',
    `DELETE FROM ledger_entry WHERE ledger = 'payable'`,
    [ENTRIES, OWES],
  ],
  [
    'a cent that moved without its movement',
    `UPDATE ledger_entry SET amount = amount + CASE ledger WHEN 'cash' THEN 0.01 ELSE -0.01 END FROM ${ledgerOf('deposit')} AND ledger_entry.transaction_id = ledger_transaction.id; UPDATE account SET cash = cash + 0.01`,
    [MOVEMENTS],
  ],
  [
    'a movement that never reached the ledger',
    `DELETE FROM ledger_entry USING ${ledgerOf('refund_reversal')} AND transaction_id = ledger_transaction.id; DELETE FROM ${ledgerOf('refund_reversal')}; UPDATE account SET cash = (SELECT COALESCE(sum(amount), 0) FROM ledger_entry WHERE ledger = 'cash'), owed = (SELECT -sum(amount) FROM ledger_entry WHERE ledger = 'payable')`,
    [CASH, MOVEMENTS],
  ],
  [
    'money in the ledger of which no deposit knows',
    `DELETE FROM deposit_movement WHERE kind = 'dispute'`,
    [MOVEMENTS, POSTED],
  ],
  [
    'a movement under another name',
    `UPDATE deposit_movement SET kind = 'refund' WHERE kind = 'refund_reversal'`,
    [MOVEMENTS, POSTED],
  ],
  [
    'a set of entries under another name',
    `UPDATE ledger_transaction SET kind = 'refund' WHERE kind = 'dispute' AND reference_id IN (SELECT id FROM deposit_movement WHERE dispute_id = 'dp_won')`,
    [MOVEMENTS],
  ],
  [
    'a second set of entries for a movement',
    `INSERT INTO ledger_transaction SELECT gen_random_uuid(), account_id, 'refund_reversal', reference_id, created_at FROM ${ledgerOf('deposit')}`,
    [ENTRIES, MOVEMENTS],
  ],
  [
    'a key that leads nowhere',
    `INSERT INTO idempotency_record SELECT id, 'k', '', 0, '{}', '', now(), gen_random_uuid() FROM account`,
    [KEYS],
  ],
  [
    'more received than posted',
    'UPDATE deposit SET received_amount = received_amount + 1 WHERE received_amount > 0',
    [POSTED],
  ],
  ['nothing received of what is posted', 'UPDATE deposit SET received_amount = 0', [POSTED]],
  [
    'a refund that is known and not posted',
    'UPDATE deposit SET refunded_amount = refunded_amount + 1',
    [POSTED],
  ],
  [
    'a refund whose failure is not posted',
    'UPDATE deposit SET failed_refund_amount = failed_refund_amount + 1',
    [POSTED],
  ],
  ['a dispute that was won after all', `UPDATE deposit_dispute SET status = 'won'`, [POSTED]],
  ['a won dispute that is lost again', `UPDATE deposit_dispute SET status = 'lost'`, [POSTED]],
  [
    'a larger dispute',
    `UPDATE deposit_dispute SET amount = amount + 1 WHERE id = 'dp_lost'`,
    [POSTED],
  ],
  [
    'a dispute of another deposit',
    `UPDATE deposit_dispute SET deposit_id = (SELECT deposit_id FROM deposit_dispute WHERE id = 'dp') WHERE id = 'dp_lost'`,
    [POSTED],
  ],
  ['a deposit that nobody finishes', 'DELETE FROM job', [MAKING]],
  [
    'an event that nobody processes',
    `INSERT INTO stripe_event (id, event_id, type, livemode, payload) VALUES (gen_random_uuid(), 'evt_1', 'x', false, '{}')`,
    [RECEIVED],
  ],
])('%s is noticed', async (_, tampering, expected) => {
  await expectNoticed(livedThrough, tampering, expected);
});

test('amounts as large as a column takes are reckoned with', async () => {
  const { db, drop } = await testDatabase();
  onTestFinished(drop);
  await livedThrough(db);
  const most = 2 ** 31 - 1;
  await tamper(db, `UPDATE deposit SET refunded_amount = ${most}, failed_refund_amount = ${most}`);
  expect(await broken(db)).toEqual([POSTED]);
});

test('an event that was received and is owed its job is in order', async () => {
  const { db, drop } = await testDatabase();
  onTestFinished(drop);
  await tamper(
    db,
    `INSERT INTO stripe_event (id, event_id, type, livemode, payload) VALUES (gen_random_uuid(), 'evt_1', 'x', false, '{}'); INSERT INTO job (id, queue, name, subject_id, payload, state, run_at) SELECT gen_random_uuid(), 'payments', 'process-stripe-event', id, '{}', 'waiting', now() FROM stripe_event`,
  );
  expect(await broken(db)).toEqual([]);
  await tamper(db, `UPDATE stripe_event SET status = 'ignored'; DELETE FROM job`);
  expect(await broken(db)).toEqual([]);
});
