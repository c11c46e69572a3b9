import { EVENT_RESOURCES, EVENT_TYPE_NAMES } from '@gatehouse/domain/event-types';
import { Time } from '@gatehouse/domain/shapes';
import Type from 'typebox';
import { Id, Nullable, pageQuery, Query } from '../../schemas.ts';

export const Event = Type.Object({
  id: Id,
  seq: Type.Integer({ description: 'Its place in the log: what comes later has a higher one' }),
  type: Type.String({ examples: ['order.filled'] }),
  timestamp: Time,
  data: Type.Unknown({
    description: 'As `GET /v1/event-types` says of its type: the resource as it was right after',
  }),
  requestId: Nullable(Type.String({ description: 'The request that caused it' })),
});

export const EventQuery = Query({
  limit: pageQuery.limit,
  type: Type.Optional(
    Type.Enum([...EVENT_RESOURCES, ...EVENT_TYPE_NAMES], {
      description: 'One type, or all of a resource',
    }),
  ),
  after: Type.Integer({
    minimum: 0,
    maximum: Number.MAX_SAFE_INTEGER,
    default: 0,
    description: 'The `seq` of the last that you have seen',
  }),
  cursor: Type.Optional(
    Type.String({ pattern: '^[0-9]{1,15}$', description: '`nextCursor` of the page before' }),
  ),
});
