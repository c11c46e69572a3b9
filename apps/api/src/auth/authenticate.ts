import { recordAct } from '@gatehouse/db/audit';
import { findUserByEmail, type User } from '@gatehouse/db/users';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { actorOf } from './actor.ts';
import { verifyPassword } from './passwords.ts';

/**
 * The user of this e-mail and password, or null: whether the address is unknown, the password wrong or the user
 * deactivated, in the same time. A failure is written down.
 */
export async function authenticate(
  app: FastifyInstance,
  request: FastifyRequest,
  { email, password }: { email: string; password: string },
): Promise<User | null> {
  const user = await findUserByEmail(app.db, email.toLowerCase());
  const isRight = await verifyPassword(password, user?.passwordHash ?? null);
  if (user !== null && isRight && user.deactivatedAt === null) return user;
  await recordAct(app.db, actorOf(request), {
    action: 'auth.login_failed',
    subjectType: 'user',
    subjectId: user?.id ?? null,
  });
  return null;
}
