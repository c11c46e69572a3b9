import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { revokeApiKeys } from '@gatehouse/db/api-keys';
import { recordAct } from '@gatehouse/db/audit';
import { findResetTokenOwner, resetPassword } from '@gatehouse/db/password-resets';
import { hashSecretToken } from '@gatehouse/domain/secret-token';
import Type from 'typebox';
import { actorOf } from '../../auth/actor.ts';
import { announceChange, oweResetMail } from '../../auth/owed-mails.ts';
import { assertGoodPassword } from '../../auth/password-policy.ts';
import { hashPassword } from '../../auth/passwords.ts';
import { ResetTokenInvalid } from '../../errors.ts';
import { problems } from '../../schemas.ts';
import { PasswordForgotten, PasswordReset } from './schemas.ts';

export const passwordReset: FastifyPluginAsyncTypebox = async (app) => {
  app.post(
    '/v1/auth/password/forgot',
    {
      config: { access: 'public', rateLimit: false },
      onRequest: app.limitAttempts,
      schema: {
        tags: ['Identity'],
        summary: 'Ask for a mail with a link to choose a new password',
        description: 'The answer is the same whether or not there is a user with this e-mail.',
        body: PasswordForgotten,
        response: { 202: Type.Object({}), ...problems(413, 415) },
      },
    },
    async (request, reply) => {
      const { email } = request.body;
      await app.transaction((tx) => oweResetMail(app, tx, { email, requestId: request.id }));
      return reply.code(202).send({});
    },
  );

  app.post(
    '/v1/auth/password/reset',
    {
      config: { access: 'public', rateLimit: false },
      onRequest: app.limitAttempts,
      schema: {
        tags: ['Identity'],
        summary: 'Choose a new password with the token of a mail',
        description:
          'The token is good once, for an hour. All your sessions are ended and all your API keys revoked.',
        body: PasswordReset,
        response: { 204: Type.Null(), ...problems(413, 415) },
      },
    },
    async (request, reply) => {
      const { token, password } = request.body;
      const hash = hashSecretToken(token);
      // Before a password is hashed: who guesses tokens is to cost nothing. And to be told what is wrong with his new
      // password does not cost a user his token.
      const owner = await findResetTokenOwner(app.db, hash);
      if (owner === null) throw new ResetTokenInvalid();
      assertGoodPassword(password, owner);
      const passwordHash = await hashPassword(password);
      const { id: userId } = owner;
      await app.transaction(async (tx) => {
        if (!(await resetPassword(tx, userId, hash, passwordHash))) throw new ResetTokenInvalid();
        const ended = await app.sessions.endAll(tx, userId);
        // Whoever reads the mailbox is the owner: what others made in his name before is not to outlive that.
        const revokedKeys = await revokeApiKeys(tx, userId);
        app.afterCommit(tx, app.apiKeys.forgetAll);
        await recordAct(tx, actorOf(request), {
          action: 'password.reset',
          subjectType: 'user',
          subjectId: userId,
          details: { ended, revokedKeys },
        });
        await announceChange(app, tx, request, userId);
      });
      return reply.code(204).send(null);
    },
  );
};
