import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { recordAct } from '@gatehouse/db/audit';
import { listSessions } from '@gatehouse/db/sessions';
import Type from 'typebox';
import { actorOf } from '../../auth/actor.ts';
import { NotFound } from '../../errors.ts';
import {
  Id,
  IdParams,
  Nullable,
  PageOf,
  pageQuery,
  problems,
  Query,
  Timestamp,
} from '../../schemas.ts';

const ListedSession = Type.Object({
  id: Id,
  address: Type.String({ description: 'Where it was begun' }),
  userAgent: Nullable(Type.String()),
  isCurrent: Type.Boolean({ description: 'The one that asks' }),
  createdAt: Timestamp,
  lastUsedAt: Timestamp,
  expiresAt: Timestamp,
});

export const sessions: FastifyPluginAsyncTypebox = async (app) => {
  app.get(
    '/v1/auth/sessions',
    {
      config: { access: 'session' },
      schema: {
        tags: ['Identity'],
        summary: 'List your sessions, newest first',
        querystring: Query(pageQuery),
        response: { 200: PageOf(ListedSession), ...problems(401, 403) },
      },
    },
    async ({ principal, query }) => {
      const page = await listSessions(app.db, principal.userId, query);
      return {
        ...page,
        data: page.data.map((session) => ({
          ...session,
          isCurrent: session.id === principal.credentialId,
        })),
      };
    },
  );

  app.delete(
    '/v1/auth/sessions/:id',
    {
      config: { access: 'session' },
      schema: {
        tags: ['Identity'],
        summary: 'End one of your sessions. Its access tokens stop working at once.',
        params: IdParams,
        response: { 204: Type.Null(), ...problems(401, 403, 404) },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      await app.transaction(async (tx) => {
        if (!(await app.sessions.end(tx, request.principal.userId, id))) {
          throw new NotFound('session');
        }
        await recordAct(tx, actorOf(request), {
          action: 'session.revoked',
          subjectType: 'session',
          subjectId: id,
        });
      });
      return reply.code(204).send(null);
    },
  );

  app.delete(
    '/v1/auth/sessions',
    {
      config: { access: 'session' },
      schema: {
        tags: ['Identity'],
        summary: 'End all your sessions but the one that asks',
        response: { 204: Type.Null(), ...problems(401, 403) },
      },
    },
    async (request, reply) => {
      const { userId, credentialId } = request.principal;
      await app.transaction(async (tx) => {
        const ended = await app.sessions.endAll(tx, userId, credentialId);
        await recordAct(tx, actorOf(request), {
          action: 'session.revoked',
          subjectType: 'user',
          subjectId: userId,
          details: { ended },
        });
      });
      return reply.code(204).send(null);
    },
  );
};
