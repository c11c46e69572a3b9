import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { recordAct } from '@gatehouse/db/audit';
import { createUser, isEmailTaken } from '@gatehouse/db/users';
import { actorOf, inSession } from '../../auth/actor.ts';
import { newUser } from '../../auth/new-user.ts';
import { assertGoodPassword } from '../../auth/password-policy.ts';
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
      assertGoodPassword(request.body.password, request.body);
      const registered = await newUser(config, { ...request.body, role: 'user' });
      const { user, opened } = await app
        .transaction(async (tx) => {
          const user = await createUser(tx, registered);
          const opened = await app.sessions.open(tx, request, user.id);
          await recordAct(tx, actorOf(request, inSession(user.id, opened.sessionId)), {
            action: 'auth.registered',
            subjectType: 'user',
            subjectId: user.id,
          });
          return { user, opened };
        })
        .catch((error: unknown) => {
          throw isEmailTaken(error) ? new EmailTaken() : error;
        });
      const session = await letIn(app, reply, user, opened);
      app.devices.remember(reply, user.id, '/v1/auth');
      return reply.code(201).send(session);
    },
  );
};
