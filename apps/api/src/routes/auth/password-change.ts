import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { recordAct } from '@gatehouse/db/audit';
import { deleteResetTokens } from '@gatehouse/db/password-resets';
import { findUserById, replacePasswordHash } from '@gatehouse/db/users';
import Type from 'typebox';
import { actorOf } from '../../auth/actor.ts';
import { announceChange } from '../../auth/owed-mails.ts';
import { assertGoodPassword } from '../../auth/password-policy.ts';
import { hashPassword, verifyPassword } from '../../auth/passwords.ts';
import { RateLimited, Unauthorized, WrongPassword } from '../../errors.ts';
import { problems } from '../../schemas.ts';
import { PasswordChange } from './schemas.ts';

export const passwordChange: FastifyPluginAsyncTypebox = async (app) => {
  app.post(
    '/v1/auth/password/change',
    {
      config: { access: 'session', rateLimit: false },
      onRequest: app.limitAttempts,
      schema: {
        tags: ['Identity'],
        summary: 'Change your password',
        description:
          'Ends all your sessions but the one that asks, and tells you by mail. Links of reset mails stop working.',
        body: PasswordChange,
        response: { 204: Type.Null(), ...problems(401, 403, 413, 415, 422) },
      },
    },
    async (request, reply) => {
      const { userId, credentialId } = request.principal;
      const { currentPassword, password } = request.body;
      const user = await findUserById(app.db, userId);
      // He was deleted since his session was looked at.
      if (user === null) throw new Unauthorized();
      const from = user.passwordHash;
      // A count of his own: who guesses here must not slow down his logins.
      const verdict = await app.loginThrottle.begin({
        email: `change of ${userId}`,
        address: request.ip,
        deviceId: null,
      });
      if (!verdict.isAllowed) {
        reply.header('retry-after', verdict.retryAfterSeconds);
        throw new RateLimited();
      }
      if (!(await verifyPassword(currentPassword, from))) {
        await recordAct(app.db, actorOf(request), {
          action: 'password.change_failed',
          subjectType: 'user',
          subjectId: userId,
        });
        throw new WrongPassword();
      }
      await verdict.succeeded();
      assertGoodPassword(password, user);
      const to = await hashPassword(password);
      await app.transaction(async (tx) => {
        // Of two changes at once the second knows a password that is no longer the current one.
        if (!(await replacePasswordHash(tx, userId, { from, to }))) throw new WrongPassword();
        await deleteResetTokens(tx, userId);
        const ended = await app.sessions.endAll(tx, userId, credentialId);
        await recordAct(tx, actorOf(request), {
          action: 'password.changed',
          subjectType: 'user',
          subjectId: userId,
          details: { ended },
        });
        await announceChange(app, tx, request, userId);
      });
      return reply.code(204).send(null);
    },
  );
};
