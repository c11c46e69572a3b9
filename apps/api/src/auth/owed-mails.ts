import type { Transaction } from '@gatehouse/db/client';
import { insertResetRequest } from '@gatehouse/db/password-resets';
import { newId } from '@gatehouse/domain/id';
import { announcePasswordChange } from '@gatehouse/jobs/definitions/announce-password-change';
import { requestPasswordReset } from '@gatehouse/jobs/definitions/request-password-reset';
import type { FastifyInstance } from 'fastify';

interface Caused {
  /** The request that causes it. */
  requestId: string;
}

/**
 * Owes whose address it is a mail with which he chooses a password. Whether it is anybody's, a worker finds out: here
 * the work is the same for every address.
 */
export async function oweResetMail(
  app: FastifyInstance,
  tx: Transaction,
  { email, requestId }: Caused & { email: string },
): Promise<void> {
  const id = newId();
  await insertResetRequest(tx, { id, email: email.toLowerCase() });
  await app.jobs.enqueue(tx, requestPasswordReset, { resetRequestId: id }, { requestId });
}

/** Owes a user a mail that says that his password was changed: to whoever did not change it, that is news. */
export async function oweChangeNotice(
  app: FastifyInstance,
  tx: Transaction,
  { userId, requestId }: Caused & { userId: string },
): Promise<void> {
  const changedAt = new Date().toISOString();
  await app.jobs.enqueue(tx, announcePasswordChange, { userId, changedAt }, { requestId });
}
