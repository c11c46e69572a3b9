import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { findDeposit, listDeposits } from '@gatehouse/db/deposits';
import { DepositSchema, depositView } from '@gatehouse/domain/deposit-view';
import { NotFound } from '../../errors.ts';
import { IdParams, idempotencyHeader, PageOf, pageQuery, problems, Query } from '../../schemas.ts';
import { placeDeposit } from './place.ts';
import { BegunDeposit, NewDeposit } from './schemas.ts';

const plugin: FastifyPluginAsyncTypebox = async (app) => {
  app.post(
    '/v1/deposits',
    {
      config: { access: 'deposits:write', idempotency: 'sealed' },
      schema: {
        tags: ['Deposits'],
        summary: 'Begin a deposit. The answer has what it takes to pay it.',
        description: 'It is credited once the payment provider says that it was paid.',
        headers: idempotencyHeader(true),
        body: NewDeposit,
        response: { 201: BegunDeposit, ...problems(401, 403, 409, 413, 415, 422) },
      },
    },
    (request, reply) =>
      app.onceWith(request, reply, (toRecord, toAnswer, keyed) => {
        const terms = { ...request.body, keyed, requestId: request.id };
        return placeDeposit(app, terms, toRecord, ({ deposit, payment }) =>
          toAnswer({
            status: 201,
            body: { ...depositView(deposit), clientSecret: payment.clientSecret },
            location: `/v1/deposits/${deposit.id}`,
          }),
        );
      }),
  );

  app.get(
    '/v1/deposits',
    {
      config: { access: 'account:read' },
      schema: {
        tags: ['Deposits'],
        summary: 'List deposits, newest first',
        querystring: Query(pageQuery),
        response: { 200: PageOf(DepositSchema), ...problems(401, 403) },
      },
    },
    async ({ principal, query }) => {
      const page = await listDeposits(app.db, principal.accountId, query);
      return { ...page, data: page.data.map(depositView) };
    },
  );

  app.get(
    '/v1/deposits/:id',
    {
      config: { access: 'account:read', etag: true },
      schema: {
        tags: ['Deposits'],
        summary: 'Read a deposit',
        params: IdParams,
        response: { 200: DepositSchema, ...problems(401, 403, 404) },
      },
    },
    async ({ principal, params }) => {
      const deposit = await findDeposit(app.db, principal.accountId, params.id);
      if (deposit === null) throw new NotFound('deposit');
      return depositView(deposit);
    },
  );
};

export default plugin;
