import Type from 'typebox';
import { Value } from 'typebox/value';
import type { AlpacaAnswer } from './client.ts';

const MESSAGE_LENGTH = 200;

const Refusal = Type.Object({ code: Type.Optional(Type.Unknown()), message: Type.String() });

/** What Alpaca says of a request that it refuses, in one line; null when this is not its voice, but a proxy's. */
export function reasonOf({ body }: AlpacaAnswer): string | null {
  if (!Value.Check(Refusal, body)) return null;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is taken out
  const line = body.message.replace(/[\s\u0000-\u001f\u007f]+/g, ' ').trim();
  return line === '' ? null : line.slice(0, MESSAGE_LENGTH);
}

/**
 * Whether the refusal is about this request. A code begins with its status (40310000: insufficient buying power, 40410000:
 * order not found); wrong keys, a wrong host and proxies have the same statuses without one.
 */
export function isAboutTheRequest({ status, body }: AlpacaAnswer): boolean {
  if (!Value.Check(Refusal, body)) return false;
  return typeof body.code === 'number' && Math.floor(body.code / 100_000) === status;
}

/** An answer that should not be: of a wrong key, host or request. Trying again does not help until somebody mends it. */
export function unexpected(answer: AlpacaAnswer, what: string): Error {
  const reason = reasonOf(answer);
  return new Error(`Alpaca answered ${answer.status} to ${what}${reason ? `: ${reason}` : ''}`);
}
