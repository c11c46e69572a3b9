import { findAccount } from '@gatehouse/db/accounts';
import type { Database } from '@gatehouse/db/client';
import { checkInvariants } from '@gatehouse/db/invariants';
import { expect } from 'vitest';

/** Expects the money and the shares of all accounts to add up, and nobody to be owed what nobody will do. */
export async function expectBalancedBooks(db: Database): Promise<void> {
  const results = await checkInvariants(db);
  expect(results.filter(({ violations }) => violations.length > 0)).toEqual([]);
  expect(results.length).toBeGreaterThan(10);
}

/** The dollars that an account has, and those that it owes. */
export async function funds(
  db: Database,
  accountId: string,
): Promise<[cash: string, owed: string]> {
  const { cash, owed } = await findAccount(db, accountId);
  return [cash.toFixed(2), owed.toFixed(2)];
}
