import { isUtf8 } from 'node:buffer';
import { parse } from 'secure-json-parse';
import { JsonTooComplex, MalformedJson } from '../errors.ts';
import { duplicateName } from './duplicate-name.ts';
import { inspect } from './inspect-json.ts';

/**
 * The value of a JSON text as RFC 7493 (I-JSON) narrows it down, so that no two readers can understand it differently:
 * UTF-8, no name twice in an object. Also nothing that PostgreSQL cannot store, and no more than a handler should see.
 *
 * @throws {MalformedJson} when it is no such text, or has a member that would become a prototype
 * @throws {JsonTooComplex} beyond the bounds of `inspect`
 * @throws what `inspect` throws
 */
export function parseJson(body: Buffer): unknown {
  if (!isUtf8(body)) throw new MalformedJson('The body is not UTF-8');
  const text = body.toString('utf8');
  const value = parseText(text);
  // Only an escape can bring in what may not be in a string: JSON has no raw control characters, UTF-8 no surrogates.
  const members = inspect(value, { withText: text.includes('\\u') });
  // Of a name that comes twice, the value has one member and the text two.
  if (countNames(text) > members) {
    const name = duplicateName(text);
    if (name !== undefined) {
      throw new MalformedJson(`An object has the member ${shown(name)} twice`);
    }
  }
  return value;
}

function parseText(text: string): unknown {
  try {
    return parse(text);
  } catch (error) {
    // JSON.parse's texts are not part of the contract, and a body that is refused is nobody's failure.
    if (error instanceof SyntaxError) {
      throw new MalformedJson(
        /forbidden prototype/.test(error.message)
          ? 'The body has a member that would change a prototype'
          : 'The body is not valid JSON',
      );
    }
    // Thousands of levels, which the parser cannot descend.
    if (error instanceof RangeError) throw new JsonTooComplex('The body is nested too deep');
    throw error;
  }
}

const QUOTE = '"'.charCodeAt(0);
const SPACE = ' '.charCodeAt(0);

/**
 * At least the number of member names in the text, and exactly that unless a string holds `":`. Much cheaper than to
 * tokenize it, which orders would pay for thousands of times a second.
 */
function countNames(text: string): number {
  let count = 0;
  for (let colon = text.indexOf(':'); colon !== -1; colon = text.indexOf(':', colon + 1)) {
    let before = colon - 1;
    while (before >= 0 && text.charCodeAt(before) <= SPACE) before -= 1;
    if (text.charCodeAt(before) === QUOTE) count += 1;
  }
  return count;
}

const SHOWN_AT_MOST = 64;

function shown(name: string): string {
  return JSON.stringify(name.slice(0, SHOWN_AT_MOST));
}
