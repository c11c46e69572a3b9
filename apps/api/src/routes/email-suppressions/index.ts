import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { recordAct } from '@gatehouse/db/audit';
import {
  deleteSuppression,
  listSuppressions,
  SUPPRESSION_CURSOR,
} from '@gatehouse/db/email-suppressions';
import Type from 'typebox';
import { actorOf } from '../../auth/actor.ts';
import { NotFound } from '../../errors.ts';
import {
  Id,
  Nullable,
  PageOf,
  pageQuery,
  problems,
  Query,
  Text,
  Timestamp,
} from '../../schemas.ts';

const Suppression = Type.Object({
  address: Type.String({ description: 'In lower case', examples: ['ada@example.com'] }),
  reason: Type.String({ description: 'What its mail server said' }),
  emailId: Nullable(Id),
  createdAt: Timestamp,
});

const plugin: FastifyPluginAsyncTypebox = async (app) => {
  app.get(
    '/v1/admin/email-suppressions',
    {
      config: { access: 'operator' },
      schema: {
        tags: ['Mail'],
        summary: 'List the addresses that refused mail for good, newest first',
        description: 'They get no mails, save those that keep an account its owner’s.',
        querystring: Query({
          limit: pageQuery.limit,
          cursor: Type.Optional(
            Type.String({
              pattern: SUPPRESSION_CURSOR,
              description: '`nextCursor` of the page before',
            }),
          ),
          address: Type.Optional(Text(1, 320)),
        }),
        response: { 200: PageOf(Suppression), ...problems(401, 403) },
      },
    },
    ({ query }) => listSuppressions(app.db, query),
  );

  app.delete(
    '/v1/admin/email-suppressions/:address',
    {
      config: { access: 'admin' },
      schema: {
        tags: ['Mail'],
        summary: 'Have an address get mail again',
        description: 'Mails that were not tried meanwhile stay as they are.',
        params: Type.Object({ address: Text(1, 320) }),
        response: { 204: Type.Null(), ...problems(401, 403, 404) },
      },
    },
    async (request, reply) => {
      await app.transaction(async (tx) => {
        const deleted = await deleteSuppression(tx, request.params.address);
        if (deleted === null) throw new NotFound('suppressed address');
        await recordAct(tx, actorOf(request), {
          action: 'email_suppression.deleted',
          subjectType: 'email_suppression',
          subjectId: deleted.address,
          details: { reason: deleted.reason },
        });
      });
      return reply.code(204).send(null);
    },
  );
};

export default plugin;
