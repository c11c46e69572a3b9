import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { findUserById, listUsers } from '@gatehouse/db/users';
import { NotFound } from '../../errors.ts';
import { IdParams, PageOf, problems } from '../../schemas.ts';
import { ManagedUser, UserQuery } from './schemas.ts';

export const read: FastifyPluginAsyncTypebox = async (app) => {
  app.get(
    '/v1/users',
    {
      config: { access: 'admin' },
      schema: {
        tags: ['Identity'],
        summary: 'List users, newest first',
        querystring: UserQuery,
        response: { 200: PageOf(ManagedUser), ...problems(401, 403) },
      },
    },
    ({ query }) => listUsers(app.db, query, query),
  );

  app.get(
    '/v1/users/:id',
    {
      config: { access: 'admin', etag: true },
      schema: {
        tags: ['Identity'],
        summary: 'Read a user',
        params: IdParams,
        response: { 200: ManagedUser, ...problems(401, 403, 404) },
      },
    },
    async ({ params }) => {
      const user = await findUserById(app.db, params.id);
      if (user === null) throw new NotFound('user');
      return user;
    },
  );
};
