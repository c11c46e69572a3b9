import { newId } from '@gatehouse/domain/id';
import fc, { type Arbitrary } from 'fast-check';
import type { Schema } from './openapi.ts';

/** Texts that have broken something somewhere. */
export const HOSTILE_TEXTS = [
  '',
  ' ',
  '\u0000',
  'a\u0000b',
  '\ud834',
  '\udd1e\ud834',
  '𝄞',
  '\u202eabc\u202c',
  '\ufeff',
  '\u2028',
  '\r\nx-injected: 1',
  "' OR 1=1; --",
  '%_\\',
  '%00',
  '%zz',
  '../../etc/passwd',
  '__proto__',
  'constructor',
  'null',
  'NaN',
  'Infinity',
  '1e400',
  '-0',
  '0x10',
  '9'.repeat(400),
  '0001-01-01T00:00:00Z',
  '9999-12-31T23:59:59.999999999Z',
  '2026-02-30T00:00:00Z',
  '00000000-0000-7000-8000-000000000000',
  'ffffffff-ffff-7fff-bfff-ffffffffffff',
  'x'.repeat(5_000),
  '𝄞'.repeat(1_000),
] as const;

const HOSTILE_VALUES: unknown[] = [
  ...HOSTILE_TEXTS,
  null,
  true,
  false,
  0,
  -0,
  -1,
  1.5,
  2 ** 31,
  2 ** 53,
  Number.MAX_VALUE,
  Number.MIN_VALUE,
  [],
  {},
  [null],
  [[[[]]]],
  { toString: 1 },
  Array(1_001).fill(0),
];

export const hostileValue: Arbitrary<unknown> = fc.oneof(
  fc.constantFrom(...HOSTILE_VALUES),
  fc.string({ unit: 'binary', maxLength: 50 }),
  fc.jsonValue({ maxDepth: 4 }),
);

/** Strings of the lengths at which a check decides, in and out of the bounds. */
function text({ minLength = 0, maxLength = 200 }: Schema): Arbitrary<string> {
  const lengths = [minLength, minLength + 1, maxLength - 1, maxLength].filter((one) => one >= 0);
  return fc
    .tuple(fc.constantFrom(...lengths), fc.constantFrom('a', 'é', '𝄞', '\u202e', '%', '"', '\\'))
    .map(([length, character]) => character.repeat(Math.min(length, 20_000)));
}

function string(schema: Schema, ids: readonly string[]): Arbitrary<unknown> {
  const { pattern, format, examples = [] } = schema;
  const [first, ...others] = examples;
  if (format === 'date-time') {
    const noInvalidDate = true;
    return fc.date({ min: new Date(0), noInvalidDate }).map((date) => date.toISOString());
  }
  // Each of his own: an address is taken once.
  if (format === 'email') return fc.nat().map((seed) => `f${seed}-${newId()}@example.com`);
  if (pattern?.startsWith('^[0-9a-f]{8}-')) return fc.constantFrom(newId(), ...ids);
  if (first !== undefined) return fc.constantFrom(first, ...others);
  // Lengths and null bytes aside, a pattern is here one of those that fast-check can make texts of.
  if (pattern !== undefined && !/\(\?|\\u0000/.test(pattern)) {
    return fc.stringMatching(new RegExp(pattern));
  }
  return text(schema);
}

/** Values that fit a schema, or nearly. */
export function fitting(schema: Schema, ids: readonly string[]): Arbitrary<unknown> {
  if (schema.enum !== undefined) return fc.constantFrom(...schema.enum);
  if (schema.const !== undefined) return fc.constant(schema.const);
  if (schema.anyOf !== undefined) return fc.oneof(...schema.anyOf.map((one) => fitting(one, ids)));
  const [type, ...types] = [schema.type ?? []].flat();
  if (types.length > 0) return fc.oneof(...[type, ...types].map((one) => typed(one, schema, ids)));
  return typed(type, schema, ids);
}

function typed(type: string | undefined, schema: Schema, ids: readonly string[]) {
  const { minimum = 0, maximum = 1_000 } = schema;
  switch (type) {
    case 'string':
      return string(schema, ids);
    case 'integer':
    case 'number':
      return fc.oneof(
        fc.integer({ min: minimum, max: maximum }),
        fc.constantFrom(minimum, maximum),
      );
    case 'boolean':
      return fc.boolean();
    case 'null':
      return fc.constant(null);
    case 'array':
      return fc.uniqueArray(fitting(schema.items ?? {}, ids), {
        minLength: schema.minItems ?? 0,
        maxLength: Math.min(schema.maxItems ?? 3, 5),
      });
    case 'object':
      return objectOf(schema, ids);
    default:
      return fc.jsonValue({ maxDepth: 2 });
  }
}

function objectOf({ properties = {}, required = [] }: Schema, ids: readonly string[]) {
  const members = Object.entries(properties).flatMap(([name, member]) =>
    typeof member === 'boolean' ? [] : [[name, fitting(member, ids)] as const],
  );
  return fc.record(Object.fromEntries(members), {
    requiredKeys: required.filter((name) => members.some(([known]) => known === name)),
  });
}
