import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { recordAct } from '@gatehouse/db/audit';
import { holdPassword } from '@gatehouse/db/users';
import { actorOf, inSession } from '../../auth/actor.ts';
import { authenticate } from '../../auth/authenticate.ts';
import { InvalidCredentials } from '../../errors.ts';
import { problems } from '../../schemas.ts';
import { letIn } from './answer.ts';
import { Login, Session } from './schemas.ts';

export const login: FastifyPluginAsyncTypebox = async (app) => {
  app.post(
    '/v1/auth/login',
    {
      config: { access: 'public', rateLimit: false },
      onRequest: app.limitAttempts,
      schema: {
        tags: ['Identity'],
        summary: 'Log in',
        body: Login,
        response: { 200: Session, ...problems(401, 413, 415) },
      },
    },
    async (request, reply) => {
      const user = await authenticate(app, request, reply, request.body);
      if (user === null) throw new InvalidCredentials();
      const opened = await app.transaction(async (tx) => {
        if (!(await holdPassword(tx, user))) throw new InvalidCredentials();
        const opened = await app.sessions.open(tx, request, user.id);
        await recordAct(tx, actorOf(request, inSession(user.id, opened.sessionId)), {
          action: 'auth.logged_in',
          subjectType: 'session',
          subjectId: opened.sessionId,
        });
        return opened;
      });
      const session = await letIn(app, reply, user, opened);
      app.devices.remember(reply, user.id, '/v1/auth');
      return reply.send(session);
    },
  );
};
