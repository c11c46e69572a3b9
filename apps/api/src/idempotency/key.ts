import type { FastifyRequest } from 'fastify';
import { IdempotencyKeyInvalid } from '../errors.ts';

const HEADERS = ['idempotency-key', 'x-idempotency-key'];

const KEY = /^[\x20-\x7e]{1,255}$/;

/** An RFC 8941 string: in quotes, with `\"` and `\\` as its only escapes. */
const SF_STRING = /^"(?:[\x20\x21\x23-\x5b\x5d-\x7e]|\\["\\])*"$/;

/**
 * The request's idempotency key, or undefined when it has none.
 *
 * Node joins a header that is sent twice, so the raw headers are counted.
 *
 * @throws {IdempotencyKeyInvalid} when it is empty, over-long, has control characters, or is sent twice
 */
export function idempotencyKey({ raw }: Pick<FastifyRequest, 'raw'>): string | undefined {
  const values = raw.rawHeaders.filter(
    (_, index) =>
      index % 2 === 1 && HEADERS.includes(raw.rawHeaders[index - 1]?.toLowerCase() ?? ''),
  );
  const [value, ...others] = values;
  if (value === undefined) return undefined;
  const key = SF_STRING.test(value) ? value.slice(1, -1).replace(/\\(["\\])/g, '$1') : value;
  if (others.length > 0 || !KEY.test(key)) throw new IdempotencyKeyInvalid();
  return key;
}
