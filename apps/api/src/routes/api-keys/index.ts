import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import {
  createApiKey,
  listApiKeys,
  revokeApiKey,
  rotateApiKey,
  type ApiKey as StoredApiKey,
} from '@gatehouse/db/api-keys';
import { recordAct } from '@gatehouse/db/audit';
import { newId } from '@gatehouse/domain/id';
import Type from 'typebox';
import { actorOf } from '../../auth/actor.ts';
import { newApiKey } from '../../auth/api-keys.ts';
import { NotFound } from '../../errors.ts';
import { invalidInput } from '../../input/invalid-input.ts';
import { IdParams, idempotencyHeader, PageOf, pageQuery, problems, Query } from '../../schemas.ts';
import { ApiKey, ApiKeyRotation, ApiKeyWithSecret, NewApiKey } from './schemas.ts';

const PREFIX_LENGTH = 7;

const plugin: FastifyPluginAsyncTypebox = async (app) => {
  const newSecret = () => {
    const key = newApiKey();
    return {
      key,
      stored: {
        keyHash: app.hashApiKey(key),
        prefix: key.slice(0, PREFIX_LENGTH),
        lastFour: key.slice(-4),
      },
    };
  };

  app.post(
    '/v1/api-keys',
    {
      config: { access: 'session', idempotency: 'sealed' },
      schema: {
        tags: ['Identity'],
        summary: 'Make an API key. The answer is the only place where it is shown.',
        headers: idempotencyHeader(false),
        body: NewApiKey,
        response: { 201: ApiKeyWithSecret, ...problems(401, 403, 413, 415) },
      },
    },
    (request, reply) =>
      app.once(request, reply, async (tx) => {
        const { name, scopes = [], expiresAt: end } = request.body;
        const expiresAt = end === undefined ? null : new Date(end);
        // In here, so that a creation is replayed also when its key has run out since.
        if (expiresAt !== null && expiresAt.getTime() <= Date.now()) {
          throw invalidInput('/expiresAt', 'in_the_past', 'must be in the future');
        }
        const { key, stored } = newSecret();
        const { userId } = request.principal;
        const created = await createApiKey(tx, {
          id: newId(),
          userId,
          name,
          ...stored,
          scopes,
          expiresAt,
        });
        await recordAct(tx, actorOf(request), {
          action: 'api_key.created',
          subjectType: 'api_key',
          subjectId: created.id,
          details: { name, scopes: scopes.join(' '), expiresAt: expiresAt?.toISOString() ?? null },
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
    async ({ principal, query }) => {
      const page = await listApiKeys(app.db, principal.userId, query);
      return { ...page, data: page.data.map(shown) };
    },
  );

  app.post(
    '/v1/api-keys/:id/rotate',
    {
      config: { access: 'session', idempotency: 'sealed', bodyIsOptional: true },
      schema: {
        tags: ['Identity'],
        summary: 'Give an API key a new secret. The answer is the only place where it is shown.',
        description:
          'The key keeps its id, name and scopes. The secret of before works until the overlap is over; one that ' +
          'an earlier rotation left working ends.',
        headers: idempotencyHeader(false),
        params: IdParams,
        body: ApiKeyRotation,
        response: { 200: ApiKeyWithSecret, ...problems(401, 403, 404, 413, 415) },
      },
    },
    (request, reply) =>
      app.once(request, reply, async (tx) => {
        const { overlapSeconds } = request.body;
        const { key, stored } = newSecret();
        const { userId } = request.principal;
        const { id } = request.params;
        const rotated = await rotateApiKey(tx, userId, id, { ...stored, overlapSeconds });
        if (rotated === null) throw new NotFound('API key');
        await recordAct(tx, actorOf(request), {
          action: 'api_key.rotated',
          subjectType: 'api_key',
          subjectId: rotated.id,
          details: { overlapSeconds },
        });
        app.afterCommit(tx, app.apiKeys.forgetAll);
        return { status: 200, body: { ...shown(rotated), key } };
      }),
  );

  app.delete(
    '/v1/api-keys/:id',
    {
      config: { access: 'session' },
      schema: {
        tags: ['Identity'],
        summary: 'Revoke an API key. It stops working within a second.',
        params: IdParams,
        response: { 204: Type.Null(), ...problems(401, 403, 404) },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      await app.transaction(async (tx) => {
        if (!(await revokeApiKey(tx, request.principal.userId, id))) throw new NotFound('API key');
        await recordAct(tx, actorOf(request), {
          action: 'api_key.revoked',
          subjectType: 'api_key',
          subjectId: id,
        });
        app.afterCommit(tx, app.apiKeys.forgetAll);
      });
      return reply.code(204).send(null);
    },
  );
};

/** A secret whose overlap is over is of no more interest. */
function shown(key: StoredApiKey): StoredApiKey {
  const isOver = key.previousExpiresAt !== null && key.previousExpiresAt.getTime() <= Date.now();
  return isOver ? { ...key, previousExpiresAt: null } : key;
}

export default plugin;
