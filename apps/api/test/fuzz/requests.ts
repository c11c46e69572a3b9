import fc, { type Arbitrary } from 'fast-check';
import type { OperationToCall, Parameter, Schema } from './openapi.ts';
import { fitting, HOSTILE_TEXTS, hostileValue } from './values.ts';

export const CALLERS = ['nobody', 'user', 'admin', 'restricted', 'forger'] as const;
export type Caller = (typeof CALLERS)[number];

export interface FuzzRequest {
  operation: OperationToCall;
  caller: Caller;
  /** Path and query, percent-encoded more or less. */
  target: string;
  /** Values are bytes (latin1); a name may come twice. */
  headers: [name: string, value: string][];
  body: Uint8Array | null;
}

const hostileText = fc.oneof(
  fc.constantFrom(...HOSTILE_TEXTS),
  fc.string({ unit: 'binary', maxLength: 30 }),
);

/** Mostly what fits. */
const mostly = <T>(good: Arbitrary<T>, bad: Arbitrary<T>): Arbitrary<T> =>
  fc.oneof({ weight: 5, arbitrary: good }, { weight: 1, arbitrary: bad });

/** Percent-encoded; a surrogate on its own has no encoding. */
const encode = (text: string): string => encodeURIComponent(text.toWellFormed());

function inUrl(schema: Schema, ids: readonly string[]): Arbitrary<string> {
  return mostly(
    fitting(schema, ids).map((value) => encode(String(value))),
    fc.oneof(hostileText.map(encode), fc.constantFrom('%', '%zz', '%c0%af', '%ed%a0%80', 'a/b')),
  );
}

function target({ path, parameters }: OperationToCall, ids: readonly string[]) {
  const of = (where: Parameter['in']) => parameters.filter((parameter) => parameter.in === where);
  const inPath = Object.fromEntries(
    of('path').map(({ name, schema }) => [name, inUrl(schema, ids)]),
  );
  const inQuery = Object.fromEntries(
    of('query').map(({ name, schema }) => [name, inUrl(schema, ids)]),
  );
  const query = mostly(
    fc
      .record(inQuery, { requiredKeys: [] })
      .map((members) => Object.entries(members).map(([name, value]) => `${name}=${value}`)),
    fc.array(
      fc.oneof(
        hostileText.map(encode),
        fc.constantFrom('limit=1', 'limit[]=1', '__proto__=1', '=', '&'),
      ),
      {
        maxLength: 10,
      },
    ),
  );
  return fc.tuple(fc.record(inPath), query).map(([values, pairs]) => {
    const filled = path.replace(/\{(\w+)\}/g, (_, name: string) => values[name] ?? '');
    return pairs.length === 0 ? filled : `${filled}?${pairs.join('&')}`;
  });
}

const ODD_HEADERS: [name: string, value: string][] = [
  ['authorization', 'Bearer'],
  ['authorization', 'Basic YTpi'],
  ['authorization', `Bearer ${'a'.repeat(5_000)}`],
  ['authorization', 'Bearer e30.e30.'],
  ['authorization', `Bearer gh_${'0'.repeat(36)}`],
  ['idempotency-key', ''],
  ['idempotency-key', 'a'.repeat(256)],
  ['idempotency-key', '"a'],
  ['idempotency-key', 'caf\u00e9'],
  ['x-idempotency-key', 'other'],
  ['if-match', '*'],
  ['if-match', '"1"'],
  ['if-match', 'W/"1", "x", ,'],
  ['if-none-match', '*'],
  ['content-type', 'text/plain'],
  ['content-type', 'application/json; charset=utf-16'],
  ['content-type', 'application/x-www-form-urlencoded'],
  ['content-type', 'multipart/form-data; boundary='],
  ['content-type', ';'],
  ['content-encoding', 'gzip'],
  ['x-request-id', 'a b'],
  ['x-request-id', 'sane'],
  ['cookie', 'refresh_token=%zz; refresh_token=x; admin_session=s.x; ;='],
  ['cookie', `refresh_token=${'a'.repeat(43)}`],
  ['origin', 'null'],
  ['sec-fetch-site', 'cross-site'],
  ['accept', 'text/html'],
  ['accept-encoding', 'identity;q=0'],
  ['user-agent', '\u00ff'.repeat(1_000)],
  ['x-forwarded-for', "127.0.0.1, ' OR 1=1"],
  ['host', 'evil.example'],
  ['expect', 'nothing'],
];

type Header = FuzzRequest['headers'][number];

function headers({ method }: OperationToCall): Arbitrary<Header[]> {
  const key: Arbitrary<Header> = fc.tuple(
    fc.constant('idempotency-key'),
    fc.oneof(fc.uuid(), fc.constantFrom('same', '"quoted"')),
  );
  const none: Arbitrary<Header[]> = fc.constant([]);
  const isKeyed = method === 'POST' || method === 'PATCH';
  const keys = isKeyed ? fc.array(key, { minLength: 1, maxLength: 1 }) : none;
  const odd = fc.array(fc.constantFrom(...ODD_HEADERS), { minLength: 1, maxLength: 3 });
  return fc.tuple(mostly(keys, none), mostly(none, odd)).map((parts) => parts.flat());
}

const DAMAGES: ((json: string) => Buffer)[] = [
  (json) => Buffer.from(json.slice(0, -1)),
  (json) => Buffer.from(json.replace(/"(\w+)":/, '"$1":1,$&')),
  (json) => Buffer.from(json.replace(/:"/, ':"\\u0000')),
  (json) => Buffer.from(json.replace(/:"/, ':"\\ud834')),
  (json) => Buffer.from(json.replace(/^\{/, '{"__proto__":{"a":1},')),
  (json) => Buffer.from(json.replace(/:"/, ':"\u00ff'), 'latin1'),
  (json) => Buffer.from(`\ufeff${json}`),
  (json) => Buffer.from(json, 'utf16le'),
  (json) => Buffer.from(json.replace(/\d/, '1e400')),
  (json) => Buffer.from(`${'['.repeat(2_000)}${json}${']'.repeat(2_000)}`),
  (json) => Buffer.from(json + ' '.repeat(1_100_000)),
  () => Buffer.alloc(0),
  () => Buffer.from('null'),
  () => Buffer.from('\0'),
];

/** Fitting; with one member wrong, missing or too many; damaged as bytes; or anything. */
function body(schema: Schema | null, ids: readonly string[]): Arbitrary<Uint8Array | null> {
  const anything = hostileValue.map((value) => Buffer.from(JSON.stringify(value)));
  if (schema === null) return mostly<Uint8Array | null>(fc.constant(null), anything);
  const names = Object.keys(schema.properties ?? {});
  const fits = fitting(schema, ids).map((value) => (typeof value === 'object' ? { ...value } : {}));
  const oneWrong = fc
    .tuple(
      fits,
      fc.constantFrom(...names, 'unknown', 'constructor'),
      fc.option(hostileValue, { nil: undefined }),
    )
    .map(([value, name, wrong]) => ({ ...value, [name]: wrong }));
  const json = (value: object): string => JSON.stringify(value);
  return fc.oneof(
    { weight: 5, arbitrary: fits.map((value) => Buffer.from(json(value))) },
    { weight: 5, arbitrary: oneWrong.map((value) => Buffer.from(json(value))) },
    {
      weight: 2,
      arbitrary: fc
        .tuple(fits, fc.constantFrom(...DAMAGES))
        .map(([value, damage]) => damage(json(value))),
    },
    { weight: 1, arbitrary: anything },
    { weight: 1, arbitrary: fc.constant(null) },
  );
}

/** Requests near what the operations take, and far from it. `ids` are of things that there are. */
export function requests(
  all: readonly OperationToCall[],
  ids: readonly string[],
): Arbitrary<FuzzRequest> {
  return fc.oneof(
    ...all.map((operation) =>
      fc.record({
        operation: fc.constant(operation),
        caller: fc.constantFrom(...CALLERS, 'user' as const, 'admin' as const),
        target: target(operation, ids),
        headers: headers(operation),
        body: operation.method === 'GET' ? fc.constant(null) : body(operation.body, ids),
      }),
    ),
  );
}
