import cookie from '@fastify/cookie';
import formbody from '@fastify/formbody';
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { findUserByEmail } from '@gatehouse/db/users';
import { verifyPassword } from '../../auth/passwords.ts';
import type { Config } from '../../config.ts';
import { Forbidden } from '../../errors.ts';
import { Login } from '../auth/schemas.ts';
import { BOARD_PATH, board } from './board.ts';
import { loginPage } from './login-page.ts';
import { createAdminSessions, isSameOrigin } from './session.ts';

const HTML = 'text/html; charset=utf-8';

/** The pages of those who run the system. Hidden from the API docs: they are no API. */
const plugin: FastifyPluginAsyncTypebox<{ config: Config }> = async (app, { config }) => {
  await app.register(cookie, { secret: config.AUTH_SECRET });
  await app.register(formbody);
  const sessions = createAdminSessions(app, config.PUBLIC_URL.startsWith('https:'));

  app.addHook('onRoute', (route) => {
    route.schema = { ...route.schema, hide: true };
  });
  app.addHook('onRequest', async (request) => {
    if (!['GET', 'HEAD'].includes(request.method) && !isSameOrigin(request)) {
      throw new Forbidden('This may only be sent from a page of this site');
    }
  });

  app.get('/admin', async (_request, reply) => reply.redirect(BOARD_PATH));
  app.get('/admin/login', async (_request, reply) => reply.type(HTML).send(loginPage(null)));
  app.post(
    '/admin/login',
    { onRequest: app.limitAttempts, schema: { body: Login } },
    async (request, reply) => {
      const { email, password } = request.body;
      const user = await findUserByEmail(app.db, email.toLowerCase());
      const isRight = await verifyPassword(password, user?.passwordHash ?? null);
      reply.type(HTML);
      if (user === null || !isRight) {
        return reply.code(401).send(loginPage('The e-mail or the password is wrong.'));
      }
      if (user.role === 'user') {
        return reply.code(403).send(loginPage('This is for operators and admins.'));
      }
      sessions.start(reply, user.id);
      return reply.redirect(BOARD_PATH, 303);
    },
  );
  app.post('/admin/logout', async (_request, reply) => {
    sessions.end(reply);
    return reply.redirect('/admin/login', 303);
  });

  await app.register(board, { sessions });
};

export default plugin;
