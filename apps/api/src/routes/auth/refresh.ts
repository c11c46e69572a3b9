import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { recordAct } from '@gatehouse/db/audit';
import { findUserById } from '@gatehouse/db/users';
import { actorOf } from '../../auth/actor.ts';
import { presentedToken } from '../../auth/presented-token.ts';
import type { Config } from '../../config.ts';
import { Unauthorized } from '../../errors.ts';
import { problems } from '../../schemas.ts';
import { letIn } from './answer.ts';
import { RefreshTokenBody, Session } from './schemas.ts';

export const refresh: FastifyPluginAsyncTypebox<{ config: Config }> = async (app, { config }) => {
  app.post(
    '/v1/auth/refresh',
    {
      config: { access: 'refresh', bodyIsOptional: true },
      schema: {
        tags: ['Identity'],
        summary:
          'Exchange a refresh token, of the cookie or the body, for the next and an access token',
        description:
          'Each refresh token is good once. Within 10 seconds it may be sent again, and gets the same successor; ' +
          'later that is taken for theft and ends the session.',
        body: RefreshTokenBody,
        response: { 200: Session, ...problems(401, 403, 413, 415) },
      },
    },
    async (request, reply) => {
      const token = presentedToken(app, request, config, request.body.refreshToken);
      const refreshed = await app.transaction(async (tx) => {
        const refreshed = await app.sessions.refresh(tx, token ?? '');
        if (refreshed.kind !== 'reused') return refreshed;
        const { id, userId } = refreshed.session;
        await recordAct(tx, actorOf(request), {
          action: 'auth.refresh_reused',
          subjectType: 'session',
          subjectId: id,
          details: { userId },
        });
        return refreshed;
      });
      const user =
        refreshed.kind === 'refreshed'
          ? await findUserById(app.db, refreshed.session.userId)
          : null;
      if (refreshed.kind !== 'refreshed' || user === null) {
        app.refreshCookie.clear(reply);
        throw new Unauthorized();
      }
      const { session, refreshToken } = refreshed;
      return reply.send(await letIn(app, reply, user, { sessionId: session.id, refreshToken }));
    },
  );
};
