import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { recordAct } from '@gatehouse/db/audit';
import { findSessionOfToken } from '@gatehouse/db/sessions';
import { hashSecretToken } from '@gatehouse/domain/secret-token';
import type { FastifyRequest } from 'fastify';
import Type from 'typebox';
import { actorOf, inSession } from '../../auth/actor.ts';
import { presentedToken } from '../../auth/presented-token.ts';
import type { Config } from '../../config.ts';
import { Unauthorized } from '../../errors.ts';
import { problems } from '../../schemas.ts';
import { RefreshTokenBody } from './schemas.ts';

export const logout: FastifyPluginAsyncTypebox<{ config: Config }> = async (app, { config }) => {
  /** Of the access token, or, since that may have run out, of the refresh token. */
  const sessionOf = async (request: FastifyRequest, inBody: string | undefined) => {
    const principal = await app.identify(request);
    if (principal?.credential === 'session') {
      return { id: principal.credentialId, userId: principal.userId };
    }
    const token = presentedToken(app, request, config, inBody);
    return token === undefined ? null : findSessionOfToken(app.db, hashSecretToken(token));
  };

  app.post(
    '/v1/auth/logout',
    {
      config: { access: 'refresh', bodyIsOptional: true },
      schema: {
        tags: ['Identity'],
        summary: 'End the session of the access token or the refresh token',
        description: 'Its access tokens stop working at once.',
        security: [{ bearer: [] }, { refresh: [] }],
        body: RefreshTokenBody,
        response: { 204: Type.Null(), ...problems(401, 403, 413, 415) },
      },
    },
    async (request, reply) => {
      const session = await sessionOf(request, request.body.refreshToken);
      app.refreshCookie.clear(reply);
      if (session === null) throw new Unauthorized();
      const { id, userId } = session;
      await app.transaction(async (tx) => {
        if (!(await app.sessions.end(tx, userId, id))) return;
        await recordAct(tx, actorOf(request, inSession(userId, id)), {
          action: 'auth.logged_out',
          subjectType: 'session',
          subjectId: id,
        });
      });
      return reply.code(204).send(null);
    },
  );
};
