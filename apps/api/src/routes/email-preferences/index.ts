import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { isWanted, setWish } from '@gatehouse/db/email-opt-outs';
import Type from 'typebox';
import { Body, idempotencyHeader, problems } from '../../schemas.ts';

const members = {
  reminders: Type.Boolean({
    description: 'Whether you are reminded by mail of tasks that are due',
  }),
};

/** Which mails somebody wants. Those about his money and his account are not his to refuse. */
const plugin: FastifyPluginAsyncTypebox = async (app) => {
  app.get(
    '/v1/email-preferences',
    {
      config: { access: 'account:read', etag: true },
      schema: {
        tags: ['Mail'],
        summary: 'Read which mails you want',
        response: { 200: Type.Object(members), ...problems(401, 403) },
      },
    },
    async ({ principal }) => ({
      reminders: await isWanted(app.db, principal.accountId, 'reminders'),
    }),
  );

  app.patch(
    '/v1/email-preferences',
    {
      config: { access: 'session' },
      schema: {
        tags: ['Mail'],
        summary: 'Say which mails you want',
        headers: idempotencyHeader(false),
        body: Body(members),
        response: { 200: Type.Object(members), ...problems(401, 403, 413, 415) },
      },
    },
    (request, reply) =>
      app.once(request, reply, async (tx) => {
        const { accountId } = request.principal;
        const { reminders } = request.body;
        await setWish(tx, { accountId, category: 'reminders', isWanted: reminders });
        return { status: 200, body: { reminders } };
      }),
  );
};

export default plugin;
