import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { recordAct } from '@gatehouse/db/audit';
import { lockEventLog } from '@gatehouse/db/event-log';
import { deleteUser } from '@gatehouse/db/user-changes';
import { lockEnabledEndpoints } from '@gatehouse/db/webhook-endpoint-states';
import Type from 'typebox';
import { actorOf } from '../../auth/actor.ts';
import { IdParams, problems } from '../../schemas.ts';
import { applyChange } from './apply-change.ts';
import { takeUser } from './locked-user.ts';

export const remove: FastifyPluginAsyncTypebox = async (app) => {
  app.delete(
    '/v1/users/:id',
    {
      config: { access: 'admin' },
      schema: {
        tags: ['Identity'],
        summary: 'Remove a user',
        description:
          'With his account, unless it ever had money, an order, a task, a mail, a webhook endpoint or any other ' +
          'event: then the user is deactivated, and stays in the list.',
        params: IdParams,
        response: { 204: Type.Null(), ...problems(401, 403, 404, 409) },
      },
    },
    async (request, reply) => {
      await app.transaction(async (tx) => {
        await lockEventLog(tx);
        const user = await takeUser(tx, request, { leavesAdmin: false });
        // Before the account, which `deleteUser` locks: whoever changes an endpoint refers to its account after that.
        await lockEnabledEndpoints(tx, user.accountId);
        await app.sessions.endAll(tx, user.id);
        if (!(await deleteUser(tx, user))) {
          await applyChange(app, tx, request, user, { active: false });
          return;
        }
        const { id, email, name, role } = user;
        await recordAct(tx, actorOf(request), {
          action: 'user.deleted',
          subjectType: 'user',
          subjectId: id,
          details: { email, name, role },
        });
        app.afterCommit(tx, app.apiKeys.forgetAll);
      });
      return reply.code(204).send(null);
    },
  );
};
