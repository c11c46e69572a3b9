import type { DepositFacts } from '@gatehouse/domain/deposit';
import { testDatabase } from '@gatehouse/testing/database';
import { createTestAccount } from '@gatehouse/testing/fixtures';
import { expect, onTestFinished, test } from 'vitest';
import type { Database } from '../src/client.ts';
import { openDepositBooks } from '../src/deposit-books.ts';
import { hearFacts } from '../src/deposit-changes.ts';
import { writeChanges } from '../src/deposit-facts.ts';
import { findDeposit } from '../src/deposits.ts';
import { begin, expectInvariants, funds, newDeposit, paymentOf } from './paying.ts';

async function setUp() {
  const { db, drop } = await testDatabase();
  onTestFinished(drop);
  const { accountId } = await createTestAccount(db, { cash: '20.00' });
  const one = await begin(db, newDeposit(accountId));
  const two = await begin(db, newDeposit(accountId));
  return { db, accountId, one, two };
}

/** Hears of deposits one after the other in memory, and writes it at once. */
function hearAll(db: Database, told: readonly (readonly [id: string, facts: DepositFacts])[]) {
  return db.$transaction(async (tx) => {
    const references = told.map(([depositId]) => ({ depositId, paymentIntentId: null }));
    const books = await openDepositBooks(tx, references);
    const changes = told.map(([depositId, facts]) => {
      const deposit = books.find({ depositId, paymentIntentId: null });
      if (deposit === null) throw new Error(`there is no deposit ${depositId}`);
      const hearing = { paymentIntentId: paymentOf(depositId), at: new Date(), requestId: null };
      const change = hearFacts(deposit, facts, hearing);
      books.put(change.deposit);
      return change;
    });
    return writeChanges(tx, changes);
  });
}

const paid = (receivedAmount: number): DepositFacts => ({ status: 'succeeded', receivedAmount });
const dispute = (status: 'open' | 'won', amount = 4_000): DepositFacts => ({
  disputes: [{ id: 'dp', amount, status }],
});

test('the money of an account runs on from change to change of a batch, whatever deposit they are of', async () => {
  const { db, accountId, one, two } = await setUp();
  const heard = await hearAll(db, [
    [one, { refundedAmount: 10_000 }],
    [one, paid(10_000)],
    [one, dispute('open')],
    [two, paid(1_500)],
    [one, paid(10_000)],
    [one, dispute('won')],
    [two, { refundedAmount: 1_500 }],
  ]);
  const came = heard.map(({ movements, owed }) => [
    movements.map(({ kind, amount }) => `${kind} ${amount}`).join(),
    owed?.toFixed(2),
  ]);
  expect(came).toEqual([
    ['', '0.00'],
    ['deposit 10000,refund 10000', '0.00'],
    ['dispute 4000', '20.00'],
    ['deposit 1500', '5.00'],
    ['', undefined],
    ['dispute_reversal 4000', '0.00'],
    ['refund 1500', '0.00'],
  ]);
  expect(await funds(db, accountId)).toEqual({ cash: '20.00', owed: '0.00' });
  for (const id of [one, two]) {
    const last = heard.findLast(({ deposit }) => deposit.id === id);
    expect(await findDeposit(db, accountId, id)).toEqual(last?.deposit);
  }
  const events = await db.event.findMany({ where: { accountId }, orderBy: { id: 'asc' } });
  expect(events.map(({ type }) => type)).toEqual(heard.flatMap(({ news }) => news));
  await expectInvariants(db);
});

test('two deposits of a batch that name one dispute are refused together, and nothing is written', async () => {
  const { db, accountId, one, two } = await setUp();
  const told = hearAll(db, [
    [one, { ...paid(10_000), ...dispute('open') }],
    [two, { ...paid(10_000), ...dispute('open') }],
  ]);
  await expect(told).rejects.toThrow(/another deposit's/);
  expect(await db.depositDispute.count()).toBe(0);
  expect(await funds(db, accountId)).toEqual({ cash: '20.00', owed: '0.00' });
  await expectInvariants(db);
});
