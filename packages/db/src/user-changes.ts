import type { Queryable, Transaction } from './client.ts';
import type { User } from './generated/client.ts';
import { deleteResetTokens } from './password-resets.ts';

export interface LockedUser {
  user: User;
  /** The ids of all admins who are active. */
  admins: ReadonlySet<string>;
}

/** A user, locked until the transaction ends, for a change that concerns nobody else. Null when there is none. */
export async function lockUser(tx: Transaction, id: string): Promise<User | null> {
  await tx.$executeRaw`SELECT 1 FROM "user" WHERE id = ${id}::uuid FOR NO KEY UPDATE`;
  return tx.user.findUnique({ where: { id } });
}

/**
 * A user, locked until the transaction ends together with every active admin: who is one stays one, save by this
 * transaction. Null when there is no such user.
 *
 * All are locked in the order of their ids, so that none wait for each other in a circle. A row that somebody else
 * changed meanwhile is looked at again once it is locked, and left out when it is no active admin any more; one that
 * became an admin meanwhile is missed, which errs on the safe side.
 */
export async function lockWithAdmins(tx: Transaction, id: string): Promise<LockedUser | null> {
  const locked = await tx.$queryRaw<{ id: string; isActiveAdmin: boolean }[]>`
    SELECT id, role = 'admin' AND deactivated_at IS NULL AS "isActiveAdmin" FROM "user"
    WHERE id = ${id}::uuid OR (role = 'admin' AND deactivated_at IS NULL)
    ORDER BY id FOR NO KEY UPDATE`;
  const user = await tx.user.findUnique({ where: { id } });
  const admins = locked.filter(({ isActiveAdmin }) => isActiveAdmin).map((row) => row.id);
  return user && { user, admins: new Set(admins) };
}

/** What a user may have changed: the e-mail in lower case, `deactivatedAt` null for one who is active. */
export type UserChange = Partial<Pick<User, 'name' | 'email' | 'role' | 'deactivatedAt'>>;

/**
 * Changes a user whom the transaction has locked. What is not given stays as it is.
 *
 * A mail that was sent to an address lets nobody reset the password once the address is another, nor once the user is
 * deactivated.
 *
 * @throws when the e-mail is taken, which `isEmailTaken` tells
 */
export async function updateUser(tx: Transaction, id: string, change: UserChange): Promise<User> {
  if (change.email !== undefined || change.deactivatedAt) {
    await deleteResetTokens(tx, id);
  }
  return tx.user.update({ where: { id }, data: change });
}

/**
 * Deletes a user whom the transaction has locked, with his account, his sessions and his keys. False, with nothing
 * deleted, when the account has something to its name: money that it ever had, a deposit that was begun, an order,
 * a task, a mail, a webhook endpoint or something that it was told of.
 */
export async function deleteUser(tx: Transaction, { id, accountId }: User): Promise<boolean> {
  // Whoever gives the account something refers to it, and has to wait; what he gave before is seen below.
  await tx.$executeRaw`SELECT 1 FROM account WHERE id = ${accountId}::uuid FOR UPDATE`;
  if (await hasHistory(tx, accountId)) return false;
  await tx.user.delete({ where: { id } });
  await tx.account.delete({ where: { id: accountId } });
  return true;
}

async function hasHistory(db: Queryable, accountId: string): Promise<boolean> {
  const [found] = await db.$queryRaw<{ hasHistory: boolean }[]>`
    SELECT EXISTS (SELECT FROM ledger_transaction WHERE account_id = ${accountId}::uuid)
      OR EXISTS (SELECT FROM "order" WHERE account_id = ${accountId}::uuid)
      OR EXISTS (SELECT FROM position WHERE account_id = ${accountId}::uuid)
      OR EXISTS (SELECT FROM deposit WHERE account_id = ${accountId}::uuid)
      OR EXISTS (SELECT FROM event WHERE account_id = ${accountId}::uuid)
      OR EXISTS (SELECT FROM webhook_endpoint WHERE account_id = ${accountId}::uuid)
      OR EXISTS (SELECT FROM task WHERE account_id = ${accountId}::uuid)
      OR EXISTS (SELECT FROM email WHERE account_id = ${accountId}::uuid) AS "hasHistory"`;
  return found?.hasHistory ?? true;
}
