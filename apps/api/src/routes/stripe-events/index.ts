import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { recordAct } from '@gatehouse/db/audit';
import { findStripeEvent, listStripeEvents, lockStripeEvent } from '@gatehouse/db/stripe-events';
import { processStripeEvent } from '@gatehouse/jobs/definitions/process-stripe-event';
import { actorOf } from '../../auth/actor.ts';
import { NotFound, StripeEventInProgress } from '../../errors.ts';
import { IdParams, idempotencyHeader, PageOf, problems } from '../../schemas.ts';
import { ListedStripeEvent, StripeEvent, StripeEventQuery } from './schemas.ts';
import { stripeEventView } from './view.ts';

const plugin: FastifyPluginAsyncTypebox = async (app) => {
  app.get(
    '/v1/admin/stripe-events',
    {
      config: { access: 'operator' },
      schema: {
        tags: ['Deposits'],
        summary: 'List the events that came from Stripe, newest first',
        querystring: StripeEventQuery,
        response: { 200: PageOf(ListedStripeEvent), ...problems(401, 403) },
      },
    },
    ({ query }) => listStripeEvents(app.db, query, query),
  );

  app.get(
    '/v1/admin/stripe-events/:id',
    {
      config: { access: 'operator', etag: true },
      schema: {
        tags: ['Deposits'],
        summary: 'Read an event from Stripe, and what came of it',
        params: IdParams,
        response: { 200: StripeEvent, ...problems(401, 403, 404) },
      },
    },
    async ({ params }) => {
      const event = await findStripeEvent(app.db, params.id);
      if (event === null) throw new NotFound('event from Stripe');
      return stripeEventView(event);
    },
  );

  app.post(
    '/v1/admin/stripe-events/:id/replay',
    {
      config: { access: 'admin' },
      schema: {
        tags: ['Deposits'],
        summary: 'Have an event from Stripe processed again',
        description:
          'What it did before is not done again: an event says how things are. It stays as it is until that is done.',
        headers: idempotencyHeader(false),
        params: IdParams,
        response: { 202: ListedStripeEvent, ...problems(401, 403, 404, 409) },
      },
    },
    (request, reply) =>
      app.once(request, reply, async (tx) => {
        const { id } = request.params;
        const locked = await lockStripeEvent(tx, id, processStripeEvent.name);
        if (locked === null) throw new NotFound('event from Stripe');
        const { event, isOwed } = locked;
        if (isOwed) throw new StripeEventInProgress();
        const payload = { stripeEventId: id };
        await app.jobs.enqueue(tx, processStripeEvent, payload, { requestId: request.id });
        const { eventId, type } = event;
        await recordAct(tx, actorOf(request), {
          action: 'stripe_event.replayed',
          subjectType: 'stripe_event',
          subjectId: id,
          details: { eventId, type },
        });
        return { status: 202, body: event };
      }),
  );
};

export default plugin;
