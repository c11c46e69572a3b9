import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { findEvent, listEvents, type PublishedEvent } from '@gatehouse/db/event-reads';
import { listensTo } from '@gatehouse/domain/event-filter';
import { EVENT_TYPE_NAMES } from '@gatehouse/domain/event-types';
import { NotFound } from '../../errors.ts';
import { IdParams, PageOf, problems } from '../../schemas.ts';
import { Event, EventQuery } from './schemas.ts';

const plugin: FastifyPluginAsyncTypebox = async (app) => {
  app.get(
    '/v1/events',
    {
      config: { access: 'events:read' },
      schema: {
        tags: ['Events'],
        summary: 'List what happened, oldest first',
        description:
          'Every event is there once, a moment after its change. Ask again with `after`, the `seq` of the last that ' +
          'you have seen, and you miss none.',
        querystring: EventQuery,
        response: { 200: PageOf(Event), ...problems(401, 403) },
      },
    },
    async ({ principal, query }) => {
      const { type, limit, cursor = '0' } = query;
      const page = await listEvents(app.db, principal.accountId, {
        after: Math.max(query.after, Number(cursor)),
        ...(type !== undefined && { types: typesOf(type) }),
        limit,
      });
      return { ...page, data: page.data.map(eventView) };
    },
  );

  app.get(
    '/v1/events/:id',
    {
      config: { access: 'events:read', etag: true },
      schema: {
        tags: ['Events'],
        summary: 'Read an event',
        params: IdParams,
        response: { 200: Event, ...problems(401, 403, 404) },
      },
    },
    async ({ principal, params }) => {
      const event = await findEvent(app.db, principal.accountId, params.id);
      if (event === null) throw new NotFound('event');
      return eventView(event);
    },
  );
};

/** All types that a filter (`order.filled`, `order.*`) means. */
function typesOf(filter: string): readonly string[] {
  return EVENT_TYPE_NAMES.filter((name) => listensTo([filter], name));
}

function eventView({ id, seq, type, createdAt, data, requestId }: PublishedEvent) {
  return { id, seq, type, timestamp: createdAt.toISOString(), data, requestId };
}

export default plugin;
