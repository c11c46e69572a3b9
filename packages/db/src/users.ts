import type { Decimal } from '@gatehouse/domain/decimal';
import { newId } from '@gatehouse/domain/id';
import { paperGrant } from '@gatehouse/domain/ledger';
import type { Queryable, Transaction } from './client.ts';
import { isUniqueViolation } from './errors.ts';
import type { Role, User } from './generated/client.ts';
import { insertLedgerTransactions } from './ledger.ts';
import { type Page, type PageRequest, pageArguments, toPage } from './page.ts';

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
      {
        accountId,
        kind: 'paper_grant',
        referenceId: null,
        entries,
        at: createdAt,
        requestId: null,
      },
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
export async function readUser(db: Queryable, id: string): Promise<User> {
  return db.user.findUniqueOrThrow({ where: { id } });
}

export interface UserFilter {
  role?: Role | undefined;
  /** A part of the e-mail or the name, in any case. */
  search?: string | undefined;
}

/** All users, newest first. */
export async function listUsers(
  db: Queryable,
  { role, search }: UserFilter,
  request: PageRequest,
): Promise<Page<User>> {
  const { where, ...page } = pageArguments(request);
  const rows = await db.user.findMany({
    ...page,
    where: {
      ...where,
      ...(role && { role }),
      ...(search && { OR: [{ email: partOf(search) }, { name: partOf(search) }] }),
    },
  });
  return toPage(rows, request);
}

/** Prisma hands a text to LIKE as it is, wild cards included. */
function partOf(search: string) {
  return { contains: search.replace(/[\\%_]/g, '\\$&'), mode: 'insensitive' as const };
}

/** @throws when there is no such user */
export async function setUserRole(db: Queryable, email: string, role: Role): Promise<void> {
  await db.user.update({ where: { email }, data: { role } });
}

/**
 * Sets a password's hash where it still is the given one: what was verified. False when it was changed meanwhile, or
 * the user is gone or deactivated; then nothing is changed.
 */
export async function replacePasswordHash(
  db: Queryable,
  id: string,
  { from, to }: { from: string; to: string },
): Promise<boolean> {
  const { count } = await db.user.updateMany({
    where: { id, passwordHash: from, deactivatedAt: null },
    data: { passwordHash: to },
  });
  return count === 1;
}

/**
 * Whether an active user's password still is the one of this hash, which then holds until the transaction ends: what is
 * let in by a password is not let in after the change that ended everything it had opened.
 */
export async function holdPassword(
  tx: Transaction,
  { id, passwordHash }: Pick<User, 'id' | 'passwordHash'>,
): Promise<boolean> {
  const rows = await tx.$queryRaw<unknown[]>`
    SELECT 1 FROM "user"
    WHERE id = ${id}::uuid AND password_hash = ${passwordHash} AND deactivated_at IS NULL FOR SHARE`;
  return rows.length === 1;
}
