import type { Transaction } from '@gatehouse/db/client';
import { insertResetRequest } from '@gatehouse/db/password-resets';
import { readUser } from '@gatehouse/db/users';
import { newId } from '@gatehouse/domain/id';
import { announcePasswordChange } from '@gatehouse/jobs/definitions/announce-password-change';
import { requestPasswordReset } from '@gatehouse/jobs/definitions/request-password-reset';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { tell } from '../events.ts';

/**
 * Owes whose address it is a mail with which he chooses a password. Whether it is anybody's, a worker finds out: here
 * the work is the same for every address.
 */
export async function oweResetMail(
  app: FastifyInstance,
  tx: Transaction,
  { email, requestId }: { email: string; requestId: string },
): Promise<void> {
  const id = newId();
  await insertResetRequest(tx, { id, email: email.toLowerCase() });
  await app.jobs.enqueue(tx, requestPasswordReset, { resetRequestId: id }, { requestId });
}

/**
 * Owes a user a mail that says that his password was changed, and tells his listeners: to whoever did not change it, that
 * is news. For a transaction that has changed it.
 */
export async function announceChange(
  app: FastifyInstance,
  tx: Transaction,
  request: FastifyRequest,
  userId: string,
): Promise<void> {
  const changedAt = new Date().toISOString();
  const { accountId, email } = await readUser(tx, userId);
  const data = { email, changedAt };
  await tell(tx, request, { accountId, type: 'account.password_changed', data });
  const { id: requestId } = request;
  await app.jobs.enqueue(tx, announcePasswordChange, { userId, changedAt }, { requestId });
}
