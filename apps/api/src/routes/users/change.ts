import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { lockEventLog } from '@gatehouse/db/event-log';
import { IdParams, idempotencyHeader, problems } from '../../schemas.ts';
import { applyChange } from './apply-change.ts';
import { takeUser } from './locked-user.ts';
import { ManagedUser, UserChange } from './schemas.ts';

export const change: FastifyPluginAsyncTypebox = async (app) => {
  app.patch(
    '/v1/users/:id',
    {
      config: { access: 'admin' },
      schema: {
        tags: ['Identity'],
        summary: 'Change a user, his role, or whether he may act at all',
        description:
          'Who is deactivated is signed out everywhere at once, and his API keys rest until he is active again. His ' +
          'webhook endpoints are disabled, and stay so until he enables them. The last admin stays one.',
        headers: idempotencyHeader(false),
        params: IdParams,
        body: UserChange,
        response: { 200: ManagedUser, ...problems(401, 403, 404, 409, 413, 415) },
      },
    },
    (request, reply) =>
      app.once(request, reply, async (tx) => {
        const { role = 'admin', active = true } = request.body;
        const leavesAdmin = role === 'admin' && active;
        if (!active) await lockEventLog(tx);
        const user = await takeUser(tx, request, { leavesAdmin });
        return { status: 200, body: await applyChange(app, tx, request, user, request.body) };
      }),
  );
};
