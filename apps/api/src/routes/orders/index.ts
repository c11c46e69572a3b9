import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import {
  findOrder,
  findOrderByClientOrderId,
  listOrders,
  requestCancel,
} from '@gatehouse/db/orders';
import { newId } from '@gatehouse/domain/id';
import { acceptedOrderView, OrderSchema, orderView } from '@gatehouse/domain/order-view';
import { cancelTrade } from '@gatehouse/jobs/definitions/cancel-trade';
import { executeTrade } from '@gatehouse/jobs/definitions/execute-trade';
import { ClientOrderIdTaken, NotFound, OrderNotCancelable } from '../../errors.ts';
import { IdParams, idempotencyHeader, PageOf, problems } from '../../schemas.ts';
import { ClientOrderParams, NewOrder, OrderQuery, OrderWithFills } from './schemas.ts';
import { orderWithFillsView } from './views.ts';

const plugin: FastifyPluginAsyncTypebox = async (app) => {
  app.post(
    '/v1/orders',
    {
      config: { access: 'orders:write' },
      schema: {
        tags: ['Orders'],
        summary: 'Place an order',
        headers: idempotencyHeader(true),
        body: NewOrder,
        response: { 201: OrderSchema, ...problems(401, 403, 409, 413, 415) },
      },
    },
    (request, reply) =>
      app.onceWith(request, reply, async (toRecord, toAnswer) => {
        const { accountId } = request.principal;
        const { clientOrderId = null, limitPrice = null, ...terms } = request.body;
        const order = {
          id: newId(),
          accountId,
          clientOrderId,
          limitPrice,
          ...terms,
          createdAt: new Date(),
        };
        const answer = toAnswer({
          status: 201,
          body: acceptedOrderView(order),
          location: `/v1/orders/${order.id}`,
        });
        const job = app.jobs.plan(
          executeTrade,
          { orderId: order.id, accountId },
          { requestId: request.id },
        );
        const isAccepted = await app.acceptOrder({ order, record: toRecord(answer), job });
        if (!isAccepted) throw new ClientOrderIdTaken(clientOrderId ?? '');
        return answer;
      }),
  );

  app.get(
    '/v1/orders',
    {
      config: { access: 'orders:read' },
      schema: {
        tags: ['Orders'],
        summary: 'List orders, newest first',
        querystring: OrderQuery,
        response: { 200: PageOf(OrderSchema), ...problems(401, 403) },
      },
    },
    async ({ principal, query }) => {
      const page = await listOrders(app.db, principal.accountId, query, query);
      return { ...page, data: page.data.map(orderView) };
    },
  );

  app.get(
    '/v1/orders/:id',
    {
      config: { access: 'orders:read', etag: true },
      schema: {
        tags: ['Orders'],
        summary: 'Read an order with its fills',
        params: IdParams,
        response: { 200: OrderWithFills, ...problems(401, 403, 404) },
      },
    },
    async ({ principal, params }) => {
      const order = await findOrder(app.db, principal.accountId, params.id);
      if (order === null) throw new NotFound('order');
      return orderWithFillsView(order);
    },
  );

  app.get(
    '/v1/orders/by-client-order-id/:clientOrderId',
    {
      config: { access: 'orders:read', etag: true },
      schema: {
        tags: ['Orders'],
        summary: 'Read an order by the id that its client gave it',
        params: ClientOrderParams,
        response: { 200: OrderWithFills, ...problems(401, 403, 404) },
      },
    },
    async ({ principal, params }) => {
      const order = await findOrderByClientOrderId(
        app.db,
        principal.accountId,
        params.clientOrderId,
      );
      if (order === null) throw new NotFound('order');
      return orderWithFillsView(order);
    },
  );

  app.post(
    '/v1/orders/:id/cancel',
    {
      config: { access: 'orders:write' },
      schema: {
        tags: ['Orders'],
        summary: 'Ask for an order to be canceled',
        headers: idempotencyHeader(false),
        params: IdParams,
        response: { 202: OrderSchema, ...problems(401, 403, 404, 409) },
      },
    },
    (request, reply) =>
      app.once(request, reply, async (tx) => {
        const { accountId } = request.principal;
        const { id } = request.params;
        const isRequested = await requestCancel(tx, accountId, id, new Date());
        const order = await findOrder(tx, accountId, id);
        if (order === null) throw new NotFound('order');
        if (!isRequested) throw new OrderNotCancelable(order.status);
        await app.jobs.enqueue(
          tx,
          cancelTrade,
          { orderId: id, accountId },
          { requestId: request.id },
        );
        return { status: 202, body: orderView(order) };
      }),
  );
};

export default plugin;
