import { recordAct } from '@gatehouse/db/audit';
import { findUserByEmail, findUserById, replacePasswordHash, type User } from '@gatehouse/db/users';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { RateLimited } from '../errors.ts';
import { actorOf } from './actor.ts';
import { hashPassword, needsRehash, verifyPassword } from './passwords.ts';

/**
 * The user of this e-mail and password, or null: whether the address is unknown, the password wrong or the user
 * deactivated, in the same time. A failure is written down. Call `app.devices.remember` when he is let in.
 *
 * @throws {RateLimited} with `Retry-After`, when there were too many failures; the password is not looked at then
 */
export async function authenticate(
  app: FastifyInstance,
  request: FastifyRequest,
  reply: FastifyReply,
  { email: given, password }: { email: string; password: string },
): Promise<User | null> {
  const email = given.toLowerCase();
  const user = await findUserByEmail(app.db, email);
  const deviceId = user && app.devices.idOf(request, user.id);
  const verdict = await app.loginThrottle.begin({ email, address: request.ip, deviceId });
  if (!verdict.isAllowed) {
    reply.header('retry-after', verdict.retryAfterSeconds);
    throw new RateLimited();
  }
  const isRight = await verifyPassword(password, user?.passwordHash ?? null).catch(
    async (error: unknown) => {
      // There was no room to look at it: that is no failure of his.
      await verdict.succeeded();
      throw error;
    },
  );
  if (user !== null && isRight && user.deactivatedAt === null) {
    await verdict.succeeded();
    return withCurrentHash(app, user, password);
  }
  await recordAct(app.db, actorOf(request), {
    action: 'auth.login_failed',
    subjectType: 'user',
    subjectId: user?.id ?? null,
  });
  return null;
}

/**
 * The moment at which the password is known: its hash is brought to today's parameters, where it still is the one that
 * was verified. So an old password never comes back. Null when the password was changed meanwhile.
 */
async function withCurrentHash(
  app: FastifyInstance,
  user: User,
  password: string,
): Promise<User | null> {
  const { id, passwordHash: from } = user;
  if (!needsRehash(from)) return user;
  const to = await hashPassword(password);
  if (await replacePasswordHash(app.db, id, { from, to })) return { ...user, passwordHash: to };
  // Another login was faster, or a change of the password.
  const now = await findUserById(app.db, id);
  return now !== null && (await verifyPassword(password, now.passwordHash)) ? now : null;
}
