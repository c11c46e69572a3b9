import type { Decimal } from '@gatehouse/domain/decimal';
import { newId } from '@gatehouse/domain/id';
import { paperGrant } from '@gatehouse/domain/ledger';
import type { Queryable, Transaction } from './client.ts';
import { isUniqueViolation } from './errors.ts';
import type { Role, User } from './generated/client.ts';
import { insertLedgerTransactions } from './ledger.ts';

export type { Role, User } from './generated/client.ts';

export interface NewUser {
  /** In lower case. */
  email: string;
  name: string;
  passwordHash: string;
  role: Role;
  /** The paper cash that the new account starts with, in dollars; null for an account without. */
  startingCash: Decimal | null;
}

/**
 * Creates a user with his account and its opening grant.
 *
 * @throws when the e-mail is taken, which `isEmailTaken` tells
 */
export async function createUser(tx: Transaction, user: NewUser): Promise<User> {
  const accountId = newId();
  const createdAt = new Date();
  await tx.account.create({ data: { id: accountId, createdAt } });
  const created = await tx.user.create({
    data: {
      id: newId(),
      accountId,
      email: user.email,
      name: user.name,
      passwordHash: user.passwordHash,
      role: user.role,
      createdAt,
    },
  });
  if (user.startingCash?.greaterThan(0)) {
    const entries = paperGrant(user.startingCash);
    await insertLedgerTransactions(tx, [
      { accountId, kind: 'paper_grant', referenceId: null, entries, at: createdAt },
    ]);
  }
  return created;
}

/** Whether a change failed because another user has the e-mail. */
export function isEmailTaken(error: unknown): boolean {
  return isUniqueViolation(error);
}

export async function findUserByEmail(db: Queryable, email: string): Promise<User | null> {
  return db.user.findUnique({ where: { email } });
}

export async function findUserById(db: Queryable, id: string): Promise<User | null> {
  return db.user.findUnique({ where: { id } });
}

/** @throws when there is no such user */
export async function setUserRole(db: Queryable, email: string, role: Role): Promise<void> {
  await db.user.update({ where: { email }, data: { role } });
}
