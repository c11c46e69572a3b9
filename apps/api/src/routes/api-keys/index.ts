import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { createApiKey, listApiKeys, revokeApiKey } from '@gatehouse/db/api-keys';
import { newId } from '@gatehouse/domain/id';
import Type from 'typebox';
import { newApiKey } from '../../auth/api-keys.ts';
import { SCOPES } from '../../auth/scopes.ts';
import { NotFound } from '../../errors.ts';
import {
  Body,
  Id,
  idempotencyHeader,
  Nullable,
  PageOf,
  pageQuery,
  problems,
  Query,
  Text,
  Timestamp,
} from '../../schemas.ts';

const NewApiKey = Body({
  name: Text(1, 100),
  scopes: Type.Optional(
    Type.Array(Type.Enum([...SCOPES]), { minItems: 1, maxItems: SCOPES.length, uniqueItems: true }),
  ),
  expiresAt: Type.Optional(Type.String({ format: 'date-time' })),
});

const ApiKey = Type.Object({
  id: Id,
  name: Type.String(),
  prefix: Type.String(),
  lastFour: Type.String(),
  scopes: Type.Array(Type.String(), { description: "Empty: all of its owner's" }),
  expiresAt: Nullable(Timestamp),
  createdAt: Timestamp,
});

const PREFIX_LENGTH = 7;

const plugin: FastifyPluginAsyncTypebox = async (app) => {
  app.post(
    '/v1/api-keys',
    {
      config: { access: 'session', idempotency: 'sealed' },
      schema: {
        tags: ['Identity'],
        summary: 'Make an API key. The answer is the only place where it is shown.',
        headers: idempotencyHeader(false),
        body: NewApiKey,
        response: {
          201: Type.Object({ ...ApiKey.properties, key: Type.String() }),
          ...problems(401, 403, 413, 415, 422),
        },
      },
    },
    (request, reply) =>
      app.once(request, reply, async (tx) => {
        const { name, scopes = [], expiresAt } = request.body;
        const key = newApiKey();
        const created = await createApiKey(tx, {
          id: newId(),
          userId: request.principal.userId,
          name,
          keyHash: app.hashApiKey(key),
          prefix: key.slice(0, PREFIX_LENGTH),
          lastFour: key.slice(-4),
          scopes,
          expiresAt: expiresAt === undefined ? null : new Date(expiresAt),
        });
        return { status: 201, body: { ...created, key } };
      }),
  );

  app.get(
    '/v1/api-keys',
    {
      config: { access: 'session' },
      schema: {
        tags: ['Identity'],
        summary: 'List API keys, newest first',
        querystring: Query(pageQuery),
        response: { 200: PageOf(ApiKey), ...problems(401, 403) },
      },
    },
    ({ principal, query }) => listApiKeys(app.db, principal.userId, query),
  );

  app.delete(
    '/v1/api-keys/:id',
    {
      config: { access: 'session' },
      schema: {
        tags: ['Identity'],
        summary: 'Revoke an API key. It stops working within a second.',
        params: Type.Object({ id: Id }),
        response: { 204: Type.Null(), ...problems(401, 403, 404) },
      },
    },
    async ({ principal, params }, reply) => {
      if (!(await revokeApiKey(app.db, principal.userId, params.id))) throw new NotFound('API key');
      return reply.code(204).send(null);
    },
  );
};

export default plugin;
