import { type Act, recordAct } from '@gatehouse/db/audit';
import type { Transaction } from '@gatehouse/db/client';
import { type UserChange, updateUser } from '@gatehouse/db/user-changes';
import { isEmailTaken, type User } from '@gatehouse/db/users';
import { disableEndpointsOf } from '@gatehouse/db/webhook-endpoint-states';
import { userEventView } from '@gatehouse/domain/user-view';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { actorOf } from '../../auth/actor.ts';
import { EmailTaken } from '../../errors.ts';
import { tell } from '../../events.ts';

/** What is asked of a user; what is undefined stays as it is. */
export interface WantedChange {
  name?: string | undefined;
  email?: string | undefined;
  role?: User['role'] | undefined;
  active?: boolean | undefined;
}

/** What of it is a change of this user. */
export function changeOf(
  user: User,
  { name = user.name, email = user.email, role = user.role, active }: WantedChange,
): UserChange {
  const isActive = user.deactivatedAt === null;
  return {
    ...(name !== user.name && { name }),
    ...(email.toLowerCase() !== user.email && { email: email.toLowerCase() }),
    ...(role !== user.role && { role }),
    ...(active === !isActive && { deactivatedAt: active ? null : new Date() }),
  };
}

/**
 * Changes a user whom the transaction has locked, writes that down, tells his listeners, and has it be true at once: in
 * this gateway with the commit, in the others half a second later. What is as it is asked to be is no change.
 *
 * Who is deactivated is told nothing any more: a transaction that may do so has locked the log (`lockEventLog`) before
 * the user.
 *
 * @throws {EmailTaken}
 */
export async function applyChange(
  app: FastifyInstance,
  tx: Transaction,
  request: FastifyRequest,
  user: User,
  wanted: WantedChange,
): Promise<User> {
  const change = changeOf(user, wanted);
  if (Object.keys(change).length === 0) return user;
  const changed = await updateUser(tx, user.id, change).catch((error: unknown) => {
    throw isEmailTaken(error) ? new EmailTaken() : error;
  });
  for (const act of actsOf(user, change)) {
    const subject = { subjectType: 'user', subjectId: user.id } as const;
    await recordAct(tx, actorOf(request), { ...act, ...subject });
  }
  await tell(tx, request, {
    accountId: changed.accountId,
    type: 'account.updated',
    data: userEventView(changed),
  });
  if (change.deactivatedAt) {
    const occasion = { at: change.deactivatedAt, requestId: request.id };
    await disableEndpointsOf(tx, user.accountId, 'deactivated', occasion);
    await app.sessions.endAll(tx, user.id);
  }
  if (change.role !== undefined || change.deactivatedAt !== undefined) {
    app.sessions.changed(tx);
    app.afterCommit(tx, app.apiKeys.forgetAll);
  }
  return changed;
}

function actsOf(
  user: User,
  { name, email, role, deactivatedAt }: UserChange,
): Pick<Act, 'action' | 'details'>[] {
  const acts: Pick<Act, 'action' | 'details'>[] = [];
  if (name !== undefined || email !== undefined) {
    const details = {
      ...(name !== undefined && { nameFrom: user.name, nameTo: name }),
      ...(email !== undefined && { emailFrom: user.email, emailTo: email }),
    };
    acts.push({ action: 'user.updated', details });
  }
  if (role !== undefined) {
    acts.push({ action: 'user.role_changed', details: { from: user.role, to: role } });
  }
  if (deactivatedAt !== undefined) {
    acts.push({ action: deactivatedAt === null ? 'user.reactivated' : 'user.deactivated' });
  }
  return acts;
}
