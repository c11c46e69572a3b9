import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { knowsEndpoint } from '@gatehouse/db/webhook-endpoints';
import { findReplay, listReplays } from '@gatehouse/db/webhook-replays';
import { NotFound } from '../../errors.ts';
import { IdParams, PageOf, pageQuery, problems, Query } from '../../schemas.ts';
import { begin } from './begin.ts';
import { cancel } from './cancel.ts';
import { WebhookReplay } from './schemas.ts';
import { replayView } from './view.ts';

const plugin: FastifyPluginAsyncTypebox = async (app) => {
  await app.register(begin);
  await app.register(cancel);

  app.get(
    '/v1/webhook-endpoints/:id/replays',
    {
      config: { access: 'webhooks:manage' },
      schema: {
        tags: ['Webhooks'],
        summary: 'List the replays to an endpoint, newest first',
        params: IdParams,
        querystring: Query(pageQuery),
        response: { 200: PageOf(WebhookReplay), ...problems(401, 403, 404) },
      },
    },
    async ({ principal: { accountId }, params: { id }, query }) => {
      if (!(await knowsEndpoint(app.db, accountId, id))) throw new NotFound('webhook endpoint');
      const page = await listReplays(app.db, accountId, id, query);
      return { ...page, data: page.data.map(replayView) };
    },
  );

  app.get(
    '/v1/webhook-replays/:id',
    {
      config: { access: 'webhooks:manage', etag: true },
      schema: {
        tags: ['Webhooks'],
        summary: 'Read how far a replay has come',
        params: IdParams,
        response: { 200: WebhookReplay, ...problems(401, 403, 404) },
      },
    },
    async ({ principal, params }) => {
      const replay = await findReplay(app.db, principal.accountId, params.id);
      if (replay === null) throw new NotFound('webhook replay');
      return replayView(replay);
    },
  );
};

export default plugin;
