import { PRICE_PATTERN, QUANTITY_PATTERN } from '@gatehouse/domain/decimal';
import { ID_PATTERN } from '@gatehouse/domain/id';
import { Id, Nullable } from '@gatehouse/domain/shapes';
import Type, { type TProperties, type TSchema } from 'typebox';
import { PROBLEMS } from './errors.ts';

export { DecimalText, Id, Nullable, Ticker } from '@gatehouse/domain/shapes';

/** A `Date` is serialized to RFC 3339, UTC, with milliseconds. */
export const Timestamp = Type.Unsafe<Date>({ type: 'string', format: 'date-time' });

/** The path of what has an id. */
export const IdParams = Type.Object({ id: Id });

/** Text without null bytes, which PostgreSQL cannot store. */
export const Text = (minLength: number, maxLength: number) =>
  Type.String({ minLength, maxLength, pattern: '^[^\\u0000]*$' });

/** A decimal in a request: a string, or an integer. Handlers see the string. */
const decimalInput = (pattern: string, maximum: number, example: string) =>
  Type.Unsafe<string>({
    type: ['string', 'integer'],
    pattern,
    exclusiveMinimum: 0,
    maximum,
    canonicalDecimal: true,
    examples: [example],
  });
export const QuantityInput = decimalInput(QUANTITY_PATTERN, 999_999_999, '3');
export const PriceInput = decimalInput(PRICE_PATTERN, 999_999, '187.42');

/** A request body: unknown members are refused. */
export const Body = <T extends TProperties>(properties: T, options: object = {}) =>
  Type.Object(properties, { additionalProperties: false, ...options });

/** A query string; also here a name that is not known is a mistake worth telling. */
export const Query = Body;

export const pageQuery = {
  limit: Type.Integer({ minimum: 1, maximum: 100, default: 20 }),
  cursor: Type.Optional(
    Type.String({ pattern: ID_PATTERN, description: '`nextCursor` of the page before' }),
  ),
};

export const PageOf = <T extends TSchema>(item: T) =>
  Type.Object({
    data: Type.Array(item),
    hasMore: Type.Boolean(),
    nextCursor: Nullable(Type.String()),
  });

export const ProblemSchema = Type.Object({
  type: Type.String({ format: 'uri' }),
  title: Type.String(),
  status: Type.Integer(),
  detail: Type.String(),
  code: Type.String(),
  requestId: Type.String(),
  errors: Type.Optional(
    Type.Array(
      Type.Object({ pointer: Type.String(), code: Type.String(), message: Type.String() }),
    ),
  ),
});

/** What any route may answer besides its own statuses. */
const COMMON = [400, 429, 500, 503] as const;

/** The declaration of the problems that a route may answer with. */
export function problems(...statuses: number[]) {
  return Object.fromEntries(
    [...COMMON, ...statuses].map((status) => [
      status,
      {
        description: [...PROBLEMS.values()]
          .filter((problem) => problem.status === status)
          .map(({ code }) => `\`${code}\``)
          .join(', '),
        content: { 'application/problem+json': { schema: ProblemSchema } },
      },
    ]),
  );
}

/**
 * Says of a header that a request must have it, where a plugin checks that and answers with a code of its own: the
 * schema, which is looked at first, would only answer `validation_failed`.
 */
export const REQUIRED = 'x-required';

/** Header of a mutation that may be retried; the plugin checks it, in more detail than a schema can. */
export const idempotencyHeader = (isRequired: boolean) =>
  Type.Object({
    'idempotency-key': isRequired
      ? Type.Optional(
          Type.String({
            description:
              '1 to 255 printable ASCII characters, fresh for each mutation, the same for its retries.',
            [REQUIRED]: true,
          }),
        )
      : Type.Optional(Type.String({ description: 'With it, a retry replays the first answer.' })),
  });

/** Header of a mutation that is for the version that its client has read. */
export const IfMatch = Type.Object({
  'if-match': Type.Optional(
    Type.String({ description: 'The `ETag` that was read: 412 when it has changed since' }),
  ),
});
