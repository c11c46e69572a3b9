import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { listAudit } from '@gatehouse/db/audit';
import { PageOf, problems } from '../../schemas.ts';
import { AuditQuery, Entry } from './schemas.ts';

const plugin: FastifyPluginAsyncTypebox = async (app) => {
  app.get(
    '/v1/admin/audit',
    {
      config: { access: 'admin' },
      schema: {
        tags: ['Audit'],
        summary: 'List who did what, newest first',
        querystring: AuditQuery,
        response: { 200: PageOf(Entry), ...problems(401, 403) },
      },
    },
    ({ query: { since, until, ...query } }) =>
      listAudit(app.db, { ...query, since: time(since), until: time(until) }, query),
  );
};

const time = (text: string | undefined) => (text === undefined ? undefined : new Date(text));

export default plugin;
