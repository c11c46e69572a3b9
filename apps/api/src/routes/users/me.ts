import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { lockUser } from '@gatehouse/db/user-changes';
import { findUserById } from '@gatehouse/db/users';
import { User } from '../../auth/user-schema.ts';
import { Unauthorized } from '../../errors.ts';
import { idempotencyHeader, problems } from '../../schemas.ts';
import { applyChange } from './apply-change.ts';
import { OwnChange } from './schemas.ts';

export const me: FastifyPluginAsyncTypebox = async (app) => {
  app.get(
    '/v1/users/me',
    {
      config: { access: 'account:read', etag: true },
      schema: {
        tags: ['Identity'],
        summary: 'Read who you are',
        response: { 200: User, ...problems(401, 403) },
      },
    },
    async ({ principal }) => {
      const user = await findUserById(app.db, principal.userId);
      if (user === null) throw new Unauthorized();
      return user;
    },
  );

  app.patch(
    '/v1/users/me',
    {
      config: { access: 'session' },
      schema: {
        tags: ['Identity'],
        summary: 'Change your name',
        headers: idempotencyHeader(false),
        body: OwnChange,
        response: { 200: User, ...problems(401, 403, 409, 413, 415) },
      },
    },
    (request, reply) =>
      app.once(request, reply, async (tx) => {
        const user = await lockUser(tx, request.principal.userId);
        if (user === null) throw new Unauthorized();
        const changed = await applyChange(app, tx, request, user, request.body);
        return { status: 200, body: changed };
      }),
  );
};
