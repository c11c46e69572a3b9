import type { Database } from '@gatehouse/db/client';
import { openDepositBooks } from '@gatehouse/db/deposit-books';
import { hearFacts } from '@gatehouse/db/deposit-changes';
import { transaction } from '@gatehouse/db/transaction';
import type { DepositFacts } from '@gatehouse/domain/deposit';
import type { JobLedger } from '@gatehouse/jobs/ledger';
import { testDatabase } from '@gatehouse/testing/database';
import { createTestAccount } from '@gatehouse/testing/fixtures';
import { createIdleLedger } from '@gatehouse/testing/idle-ledger';
import { expect, onTestFinished, test } from 'vitest';
import { renderEmail } from '../src/mail/templates.ts';
import { describeChange } from '../src/payments/outcome.ts';
import { writeDepositChanges } from '../src/payments/write-deposit-changes.ts';
import { expectBalancedBooks } from './books.ts';
import { addDeposit } from './stripe.ts';

const PAID: DepositFacts = { status: 'succeeded', receivedAmount: 5_000 };
const dispute = (status: 'open' | 'won' | 'lost', amount: number): DepositFacts => ({
  disputes: [{ id: 'dp', amount, status }],
});

interface Account {
  db: Database;
  ledger: JobLedger;
  accountId: string;
}

async function setUp(): Promise<Account> {
  const { db, drop } = await testDatabase();
  onTestFinished(drop);
  const ledger = createIdleLedger();
  const { accountId } = await createTestAccount(db, { cash: '0.00' });
  return { db, ledger, accountId };
}

/** What is told of a deposit of 50.00 for each of the facts that are heard: to operators, and to its owner by mail. */
async function hearing({ db, ledger, accountId }: Account, ...heard: readonly DepositFacts[]) {
  const { id } = await addDeposit(db, accountId, 5_000);
  const told: { outcome: string; mails: string[]; texts: string[] }[] = [];
  for (const facts of heard) {
    const before = await db.email.count();
    const outcome = await transaction(db, async (tx) => {
      const reference = { paymentIntentId: null, depositId: id };
      const books = await openDepositBooks(tx, [reference]);
      const deposit = books.find(reference);
      if (deposit === null) throw new Error('there is no deposit');
      const change = hearFacts(deposit, facts, { at: new Date(), requestId: null });
      const [written] = await writeDepositChanges(tx, ledger, books, [change]);
      return written === undefined ? '' : describeChange(written);
    });
    const rows = await db.email.findMany({ orderBy: { id: 'asc' }, skip: before });
    const mails = rows.map(({ template, data }) => renderEmail(template, data));
    told.push({
      outcome,
      mails: mails.map(({ subject }) => subject),
      texts: mails.map(({ text }) => text),
    });
  }
  await expectBalancedBooks(db);
  return told;
}

const RECEIVED = 'Your deposit of 50.00 USD is here';
const REFUNDED = '40.00 USD of your deposit was refunded';

test('what was refunded in all is without what failed', async () => {
  const told = await hearing(
    await setUp(),
    PAID,
    { refundedAmount: 4_000 },
    { failedRefundAmount: 4_000 },
    { refundedAmount: 8_000 },
  );
  expect(told.map(({ mails }) => mails)).toEqual([
    [RECEIVED],
    [REFUNDED],
    ['A refund of 40.00 USD came back'],
    [REFUNDED],
  ]);
  expect(told[3]?.texts[0]).toMatch(/Refunded in all: +40\.00 USD/);
});

test('a refund that is heard of with its failure is told before it, as it was then', async () => {
  const refunds = { refundedAmount: 4_000, failedRefundAmount: 4_000 };
  const [told] = await hearing(await setUp(), { ...PAID, ...refunds });
  expect(told?.mails).toEqual([RECEIVED, REFUNDED, 'A refund of 40.00 USD came back']);
  expect(told?.texts[1]).toMatch(/Refunded in all: +40\.00 USD/);
});

test('what is taken back before the payment is told when the money moves, once', async () => {
  const early = { refundedAmount: 4_000, ...dispute('won', 1_000) };
  const told = await hearing(await setUp(), early, PAID, { ...PAID, ...early });
  expect(told.map(({ outcome }) => outcome)).toEqual([
    'refund: it waits for its payment, dispute opened: it waits for its payment, dispute won: it waits for its payment',
    'credited 50.00, took back 40.00 (refund), took back 10.00 (dispute), gave back 10.00 (dispute won)',
    'nothing new',
  ]);
  expect(told.map(({ mails }) => mails)).toEqual([
    [],
    [
      RECEIVED,
      REFUNDED,
      'A deposit is disputed: 10.00 USD',
      'A dispute was decided for your deposit: 10.00 USD',
    ],
    [],
  ]);
});

test.each([
  { order: [PAID, dispute('lost', 1_000)], at: [1, 2] },
  { order: [dispute('lost', 1_000), PAID], at: [0, 3] },
  { order: [dispute('open', 1_000), { ...PAID, ...dispute('lost', 1_000) }], at: [0, 3] },
])('a dispute that was lost is told once its money was taken (%#)', async ({ order, at }) => {
  const told = await hearing(await setUp(), ...order, dispute('lost', 1_000));
  const mails = told.flatMap((one) => one.mails);
  expect(mails).toEqual([
    RECEIVED,
    'A deposit is disputed: 10.00 USD',
    'A dispute was decided against your deposit: 10.00 USD',
  ]);
  expect(told.map((one) => one.mails.length)).toEqual([...at, 0]);
});

test('a dispute that takes more is told, and one that is lost says where its money is', async () => {
  const told = await hearing(
    await setUp(),
    PAID,
    dispute('open', 2_000),
    dispute('open', 5_000),
    dispute('lost', 5_000),
  );
  expect(told.map(({ outcome }) => outcome)).toEqual([
    'credited 50.00',
    'took back 20.00 (dispute)',
    'took back 30.00 (dispute)',
    'dispute lost: its money was taken before',
  ]);
  expect(told[2]?.mails).toEqual(['More of a deposit is disputed: 30.00 USD']);
  expect(told[2]?.texts[0]).toContain('The dispute is about 50.00 USD now');
});

test('money says what of it was missing, and what of it paid what was owed', async () => {
  const account = await setUp();
  const taken = await hearing(account, PAID, { refundedAmount: 2_000 }, dispute('open', 5_000));
  expect(taken[2]?.texts[0]).toContain(
    '30.00 USD of it was taken from your cash. The other 20.00 USD was missing, and is owed.',
  );
  expect(taken[2]?.texts[0]).toContain('Your account owes 20.00 USD now.');
  const [paid] = await hearing(account, PAID);
  expect(paid?.texts[0]).toContain(
    'We received 50.00 USD. 20.00 USD of it paid what your account owed, and 30.00 USD was added to your cash.',
  );
  expect(paid?.texts[0]).not.toContain('owes');
});
