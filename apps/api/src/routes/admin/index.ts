import formbody from '@fastify/formbody';
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { recordAct } from '@gatehouse/db/audit';
import { holdPassword } from '@gatehouse/db/users';
import { actorOf, inSession } from '../../auth/actor.ts';
import { authenticate } from '../../auth/authenticate.ts';
import { Forbidden, InvalidCredentials } from '../../errors.ts';
import { isSameOrigin } from '../../http/same-origin.ts';
import { Login } from '../auth/schemas.ts';
import { BOARD_PATH, board } from './board.ts';
import { loginPage } from './login-page.ts';
import { createAdminSessions } from './session.ts';

const HTML = 'text/html; charset=utf-8';

/** The longest e-mail and password, every character of them escaped. */
const FORM_LIMIT_BYTES = 4_096;

/** The pages of those who run the system. Hidden from the API docs: they are no API. */
const plugin: FastifyPluginAsyncTypebox = async (app) => {
  await app.register(formbody, { bodyLimit: FORM_LIMIT_BYTES });
  const sessions = createAdminSessions(app);

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
      const user = await authenticate(app, request, reply, request.body);
      reply.type(HTML);
      if (user === null) {
        return reply.code(401).send(loginPage('The e-mail or the password is wrong.'));
      }
      if (user.role === 'user') {
        return reply.code(403).send(loginPage('This is for operators and admins.'));
      }
      const { setCookie } = await app.transaction(async (tx) => {
        if (!(await holdPassword(tx, user))) throw new InvalidCredentials();
        const opened = await sessions.open(tx, request, user.id);
        const { sessionId } = opened;
        await recordAct(tx, actorOf(request, inSession(user.id, sessionId)), {
          action: 'auth.logged_in',
          subjectType: 'session',
          subjectId: sessionId,
          details: { pages: 'admin' },
        });
        return opened;
      });
      setCookie(reply);
      app.devices.remember(reply, user.id, '/admin/login');
      return reply.redirect(BOARD_PATH, 303);
    },
  );
  app.post('/admin/logout', { onRequest: app.limitAttempts }, async (request, reply) => {
    const visitor = await sessions.visitor(request);
    if (visitor !== null) {
      const { userId, sessionId } = visitor;
      await app.transaction(async (tx) => {
        if (!(await app.sessions.end(tx, userId, sessionId))) return;
        await recordAct(tx, actorOf(request, inSession(userId, sessionId)), {
          action: 'auth.logged_out',
          subjectType: 'session',
          subjectId: sessionId,
        });
      });
    }
    sessions.clearCookie(reply);
    return reply.redirect('/admin/login', 303);
  });

  await app.register(board, { sessions });
};

export default plugin;
