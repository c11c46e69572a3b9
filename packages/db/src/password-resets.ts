import type { Queryable, Transaction } from './client.ts';
import type { User } from './generated/client.ts';

/** The mails that have a token for their reader, by the name of their template. */
export const RESET_TEMPLATE = 'password-reset';

/** Writes down that somebody forgot the password of an address. Its job is inserted in the same transaction. */
export async function insertResetRequest(
  tx: Transaction,
  request: { id: string; email: string },
): Promise<void> {
  await tx.passwordResetRequest.createMany({ data: [request] });
}

/** Deletes a request, and returns its address; null when it was dealt with before. */
export async function takeResetRequest(tx: Transaction, id: string): Promise<string | null> {
  const [taken] = await tx.$queryRaw<{ email: string }[]>`
    DELETE FROM password_reset_request WHERE id = ${id}::uuid RETURNING email`;
  return taken?.email ?? null;
}

/** The active user of an address, locked: who counts his mails takes turns. Null when there is none. */
export async function lockUserByEmail(
  tx: Transaction,
  email: string,
): Promise<Pick<User, 'id' | 'accountId' | 'email'> | null> {
  const [user] = await tx.$queryRaw<Pick<User, 'id' | 'accountId' | 'email'>[]>`
    SELECT id, account_id AS "accountId", email FROM "user"
    WHERE email = ${email} AND deactivated_at IS NULL FOR NO KEY UPDATE`;
  return user ?? null;
}

/**
 * Stores a token of the user of an account, by the database's clock. False, with nothing stored, when he is deactivated
 * or has another address than the one that his mail goes to.
 */
export async function insertResetToken(
  db: Queryable,
  { accountId, email }: Pick<User, 'accountId' | 'email'>,
  hash: Uint8Array<ArrayBuffer>,
  lifetimeSeconds: number,
): Promise<boolean> {
  // Shared with nobody who changes him: what ends his tokens sees this one, or is seen.
  const stored = await db.$executeRaw`
    INSERT INTO password_reset_token (hash, user_id, expires_at)
    SELECT ${hash}, id, now() + make_interval(secs => ${lifetimeSeconds}) FROM "user"
    WHERE account_id = ${accountId}::uuid AND email = ${email} AND deactivated_at IS NULL
    FOR SHARE`;
  return stored === 1;
}

/** Whose password a token would set; null when it was used, has expired or never was, or he is deactivated. */
export async function findResetTokenOwner(
  db: Queryable,
  hash: Uint8Array<ArrayBuffer>,
): Promise<Pick<User, 'id' | 'email' | 'name'> | null> {
  const [owner] = await db.$queryRaw<Pick<User, 'id' | 'email' | 'name'>[]>`
    SELECT "user".id, "user".email, "user".name
    FROM password_reset_token token JOIN "user" ON "user".id = token.user_id
    WHERE token.hash = ${hash} AND token.expires_at > now() AND "user".deactivated_at IS NULL`;
  return owner ?? null;
}

/**
 * Sets the password of a token's owner and deletes all his tokens. Of many at once with the same token, or with others
 * of the same user, one succeeds. False when the token was used, has expired or never was, or he is deactivated.
 */
export async function resetPassword(
  tx: Transaction,
  userId: string,
  hash: Uint8Array<ArrayBuffer>,
  passwordHash: string,
): Promise<boolean> {
  // The user first, as in every change of a password: two that wait for each other's rows would never end.
  const locked = await tx.$queryRaw<unknown[]>`
    SELECT 1 FROM "user" WHERE id = ${userId}::uuid AND deactivated_at IS NULL FOR NO KEY UPDATE`;
  if (locked.length === 0) return false;
  const used = await tx.$executeRaw`
    DELETE FROM password_reset_token
    WHERE hash = ${hash} AND user_id = ${userId}::uuid AND expires_at > now()`;
  if (used === 0) return false;
  await tx.user.update({ where: { id: userId }, data: { passwordHash } });
  await deleteResetTokens(tx, userId);
  return true;
}

/** What his reset mails let anybody do is over, and those that are owed are not sent any more. */
export async function deleteResetTokens(tx: Transaction, userId: string): Promise<void> {
  await tx.passwordResetToken.deleteMany({ where: { userId } });
  await tx.$executeRaw`
    UPDATE email SET status = 'canceled' FROM "user"
    WHERE "user".id = ${userId}::uuid AND email.account_id = "user".account_id
      AND email.template = ${RESET_TEMPLATE} AND email.status = 'queued'`;
}
