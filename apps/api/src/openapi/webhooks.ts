import { EVENT_TYPE_NAMES, EVENT_TYPES, type EventType } from '@gatehouse/domain/event-types';
import { Id, Time } from '@gatehouse/domain/shapes';
import Type, { type TSchema } from 'typebox';

const header = (name: string, description: string, schema: TSchema) => ({
  name,
  in: 'header' as const,
  required: true,
  description,
  schema: toPlain(schema),
});

/** As https://www.standardwebhooks.com has them. */
const HEADERS = [
  header('webhook-id', 'The id of the event, the same in every attempt.', Id),
  header('webhook-timestamp', 'Seconds since 1970 when it was sent.', Type.Integer()),
  header(
    'webhook-signature',
    '`v1,` and the base64 of HMAC-SHA256 over `id.timestamp.body`. Several, with spaces between, while a secret is rotated.',
    Type.String(),
  ),
];

/** What is sent to webhook endpoints, for the `webhooks` of an OpenAPI 3.1 document: one entry a type of event. */
export function webhookOperations() {
  return Object.fromEntries(EVENT_TYPE_NAMES.map((type) => [type, { post: operationOf(type) }]));
}

function operationOf(type: EventType) {
  const { description, schema, example } = EVENT_TYPES[type];
  const body = Type.Object({
    id: Id,
    type: Type.Literal(type),
    timestamp: Time,
    sequence: Type.Optional(
      Type.Integer({
        description: 'To an endpoint that is `ordered` only: counts what it is sent.',
      }),
    ),
    data: schema,
  });
  return {
    tags: ['Events'],
    summary: type,
    description,
    security: [],
    parameters: HEADERS,
    requestBody: {
      required: true,
      content: {
        'application/json': {
          schema: toPlain(body),
          example: {
            id: '0197a1b2-0000-7000-8000-0000000000ee',
            type,
            timestamp: '2026-11-20T14:30:00.000Z',
            data: example,
          },
        },
      },
    },
    responses: {
      '2XX': { description: 'It was taken. With any other answer it is sent again later.' },
    },
  };
}

/** TypeBox keeps more in a schema than JSON Schema has. */
function toPlain(schema: TSchema): object {
  return JSON.parse(JSON.stringify(schema));
}
