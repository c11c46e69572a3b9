import type { DepositFacts } from '@gatehouse/domain/deposit';
import { newId } from '@gatehouse/domain/id';
import { createTestAccount } from '@gatehouse/testing/fixtures';
import { expect } from 'vitest';
import { findAccount } from '../src/accounts.ts';
import type { Database } from '../src/client.ts';
import { applyDepositFacts, type Heard } from '../src/deposit-facts.ts';
import { insertDeposit, lockDeposit, type NewDeposit } from '../src/deposits.ts';
import { checkInvariants } from '../src/invariants.ts';
import { insertJobs } from '../src/jobs.ts';
import { newJob } from './new-job.ts';

export function newDeposit(accountId: string, changes: Partial<NewDeposit> = {}): NewDeposit {
  return {
    id: newId(),
    accountId,
    amount: 10_000,
    currency: 'usd',
    ...changes,
  };
}

/** The payment at Stripe of a deposit. */
export const paymentOf = (id: string) => `pi_${id}`;

/** Begins a deposit of 100.00 as the gateway does, with the job that finishes it. Returns its id. */
export async function begin(db: Database, deposit: NewDeposit): Promise<string> {
  const { id } = deposit;
  await db.$transaction(async (tx) => {
    await insertDeposit(tx, deposit);
    await insertJobs(tx, [newJob({ queue: 'payments', name: 'finish-deposit', subjectId: id })]);
  });
  return id;
}

/** Hears something of a deposit. */
export function hear(db: Database, id: string, facts: DepositFacts): Promise<Heard> {
  return db.$transaction(async (tx) => {
    const deposit = await lockDeposit(tx, { id });
    if (deposit === null) throw new Error(`there is no deposit ${id}`);
    return applyDepositFacts(tx, deposit, facts, {
      paymentIntentId: paymentOf(id),
      at: new Date(),
      requestId: 'request',
    });
  });
}

/** An account's dollars: what it has, and what it owes. */
export async function funds(db: Database, accountId: string) {
  const { cash, owed } = await findAccount(db, accountId);
  return { cash: cash.toFixed(2), owed: owed.toFixed(2) };
}

export async function expectInvariants(db: Database): Promise<void> {
  const results = await checkInvariants(db);
  expect(results.filter(({ violations }) => violations.length > 0)).toEqual([]);
}

/**
 * Three deposits of an account, which owes in the end: one that has had everything that can happen, one that is taken
 * back before it is paid, and one that is being made.
 */
export async function livedThrough(db: Database): Promise<void> {
  const { accountId } = await createTestAccount(db, { cash: '0' });
  const id = await begin(db, newDeposit(accountId));
  await hear(db, id, { status: 'succeeded', receivedAmount: 10_000 });
  await hear(db, id, { refundedAmount: 8_000, failedRefundAmount: 1_000 });
  await hear(db, id, {
    disputes: [
      { id: 'dp_lost', amount: 5_000, status: 'lost' },
      { id: 'dp_won', amount: 500, status: 'won' },
    ],
  });
  // Nothing of it can be posted yet.
  const other = await begin(db, newDeposit(accountId));
  await hear(db, other, {
    refundedAmount: 700,
    disputes: [{ id: 'dp', amount: 5, status: 'won' }],
  });
  await begin(db, newDeposit(accountId));
  expect(await funds(db, accountId)).toEqual({ cash: '0.00', owed: '20.00' });
}
