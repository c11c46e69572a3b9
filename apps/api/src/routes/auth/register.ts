import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { recordAct } from '@gatehouse/db/audit';
import { transaction } from '@gatehouse/db/transaction';
import { createUser, isEmailTaken } from '@gatehouse/db/users';
import { decimal } from '@gatehouse/domain/decimal';
import { actorOf, inSession } from '../../auth/actor.ts';
import { hashPassword } from '../../auth/passwords.ts';
import type { Config } from '../../config.ts';
import { EmailTaken } from '../../errors.ts';
import { problems } from '../../schemas.ts';
import { letIn } from './answer.ts';
import { Registration, Session } from './schemas.ts';

export const register: FastifyPluginAsyncTypebox<{ config: Config }> = async (app, { config }) => {
  app.post(
    '/v1/auth/register',
    {
      config: { access: 'public', rateLimit: false },
      onRequest: app.limitAttempts,
      schema: {
        tags: ['Identity'],
        summary: 'Register, with a paper account',
        body: Registration,
        response: { 201: Session, ...problems(409, 413, 415) },
      },
    },
    async (request, reply) => {
      const { email, password, name } = request.body;
      const newUser = {
        email: email.toLowerCase(),
        name,
        passwordHash: await hashPassword(password),
        role: 'user' as const,
        startingCash: config.BROKER === 'paper' ? decimal(config.PAPER_STARTING_CASH) : null,
      };
      const { user, opened } = await transaction(app.db, async (tx) => {
        const user = await createUser(tx, newUser);
        const opened = await app.sessions.open(tx, request, user.id);
        await recordAct(tx, actorOf(request, inSession(user.id, opened.sessionId)), {
          action: 'auth.registered',
          subjectType: 'user',
          subjectId: user.id,
        });
        return { user, opened };
      }).catch((error: unknown) => {
        throw isEmailTaken(error) ? new EmailTaken() : error;
      });
      return reply.code(201).send(await letIn(app, reply, user, opened));
    },
  );
};
