import type { Transaction } from '@gatehouse/db/client';
import { lockWithAdmins } from '@gatehouse/db/user-changes';
import type { User } from '@gatehouse/db/users';
import type { FastifyRequest } from 'fastify';
import { Forbidden, LastAdmin, NotFound } from '../../errors.ts';

/**
 * The user that an admin's request is about, locked together with all active admins. `leavesAdmin`: whether what is
 * asked leaves an active admin one.
 *
 * @throws {NotFound}
 * @throws {LastAdmin} when he is the only admin, and is to be none
 * @throws {Forbidden} when who asks was made no admin a moment ago, by another
 */
export async function takeUser(
  tx: Transaction,
  request: FastifyRequest<{ Params: { id: string } }>,
  { leavesAdmin }: { leavesAdmin: boolean },
): Promise<User> {
  const locked = await lockWithAdmins(tx, request.params.id);
  if (locked === null) throw new NotFound('user');
  const { user, admins } = locked;
  if (admins.has(user.id) && admins.size === 1 && !leavesAdmin) throw new LastAdmin();
  if (!admins.has(request.principal.userId)) throw new Forbidden('This needs the role admin');
  return user;
}
