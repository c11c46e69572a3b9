import { beforeAll, describe, expect, test } from 'vitest';
import type { Problem } from '../src/problem.ts';
import { afterFile, type Client, freshKey, type Gateway, order, startGateway } from './harness.ts';

let gateway: Gateway;
let client: Client;
beforeAll(async () => {
  gateway = await startGateway({ RATE_LIMIT_MAX: '0' }, afterFile);
  client = await gateway.client();
});

/** Fetched by hand: a body that is not UTF-8 is no string. */
async function post(path: string, body: string | Uint8Array<ArrayBuffer>) {
  const response = await fetch(gateway.url + path, {
    method: 'POST',
    headers: { authorization: `Bearer ${client.token}`, 'content-type': 'application/json' },
    body,
  });
  const { code, detail, errors = [] }: Problem = JSON.parse(await response.text());
  const [{ pointer, code: found } = { pointer: null, code: null }] = errors;
  return { status: response.status, code, detail, pointer, found };
}

const bytes = (...parts: (string | number)[]): Uint8Array<ArrayBuffer> =>
  Uint8Array.from(
    Buffer.concat(
      parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : Buffer.of(part))),
    ),
  );
const nested = (levels: number): string => '['.repeat(levels) + ']'.repeat(levels);
const list = (length: number): string => `[${Array(length).fill(1).join(',')}]`;

describe('a body that is refused says why', () => {
  test.each<[string, string | Uint8Array<ArrayBuffer>, string]>([
    ['nothing', '', 'The body is empty'],
    ['half of it', '{"title":', 'The body is not valid JSON'],
    ['a comment', '{"title":"a"/**/}', 'The body is not valid JSON'],
    ['a trailing comma', '{"title":"a",}', 'The body is not valid JSON'],
    ['NaN', '{"title":NaN}', 'The body is not valid JSON'],
    ['a raw control character', '{"title":"a\nb"}', 'The body is not valid JSON'],
    ['a lonely continuation byte', bytes('{"title":"', 0x80, '"}'), 'The body is not UTF-8'],
    ['an over-long encoding', bytes('{"title":"', 0xc0, 0xaf, '"}'), 'The body is not UTF-8'],
    ['an encoded surrogate', bytes('{"title":"', 0xed, 0xa0, 0x80, '"}'), 'The body is not UTF-8'],
    [
      'UTF-16',
      Uint8Array.from(Buffer.from('\ufeff{"title":"a"}', 'utf16le')),
      'The body is not UTF-8',
    ],
    ['a member twice', '{"title":"a","title":"b"}', 'An object has the member "title" twice'],
    [
      'a member twice, escaped',
      '{"title":"a","titl\\u0065" : "b"}',
      'An object has the member "title" twice',
    ],
    [
      'a member twice, far inside',
      '{"title":[{"a":":","b":1,"a":2}]}',
      'An object has the member "a" twice',
    ],
    ['a prototype', '{"__proto__":{"a":1}}', 'The body has a member that would change a prototype'],
    [
      'an escaped prototype',
      '{"\\u005f_proto__":{"a":1}}',
      'The body has a member that would change a prototype',
    ],
    [
      'a prototype of the constructor',
      '{"constructor":{"prototype":{}}}',
      'The body has a member that would change a prototype',
    ],
  ])('%s', async (_, body, detail) => {
    expect(await post('/v1/tasks', body)).toMatchObject({
      status: 400,
      code: 'malformed_json',
      detail,
    });
  });

  test.each<[string, string, string]>([
    ['33 levels', nested(33), 'The body is nested deeper than 32 levels'],
    ['500,000 levels', nested(500_000), 'The body is nested deeper than 32 levels'],
    ['1,001 items', list(1_001), 'The body has an array of more than 1000 items'],
    [
      '10,001 values',
      `[${Array(10).fill(list(1_000)).join(',')}]`,
      'The body has more than 10000 values',
    ],
    [
      '90,000 members',
      `{${Array.from({ length: 90_000 }, (_, index) => `"${index}":1`).join(',')}}`,
      'The body has more than 10000 values',
    ],
  ])('%s', async (_, body, detail) => {
    expect(await post('/v1/tasks', body)).toMatchObject({
      status: 400,
      code: 'json_too_complex',
      detail,
    });
  });

  test.each<[string, string, string, string]>([
    ['a null byte', '{"title":"a\\u0000b"}', '/title', 'null_byte'],
    ['half of a pair', '{"title":"\\ud834"}', '/title', 'lone_surrogate'],
    ['a pair the wrong way round', '{"title":"\\udd1e\\ud834"}', '/title', 'lone_surrogate'],
    ['a null byte far inside', '{"a/b":[1,{"c":"\\u0000"}]}', '/a~1b/1/c', 'null_byte'],
    ['a name with a null byte', '{"title":{"\\u0000":1}}', '/title', 'null_byte'],
  ])('%s', async (_, body, pointer, found) => {
    const refused = await post('/v1/tasks', body);
    expect(refused).toMatchObject({ status: 400, code: 'validation_failed', pointer, found });
  });

  test('nothing of all this is kept', async () => {
    expect(await gateway.db.task.count()).toBe(0);
  });
});

test.each<[string, string]>([
  ['a name that another object has as well', '{"b":{"a":1},"a":{"a":1}}'],
  ['text that looks like members', '{"title":"\\"a\\":1,\\"a\\":2"}'],
  ['32 levels', nested(32)],
  ['1,000 items', list(1_000)],
  ['a pair of surrogates', '{"a":"\\ud834\\udd1e"}'],
])('%s is no reason to refuse a body: its schema is', async (_, body) => {
  // An unknown member keeps the last word for the schema.
  const { code, found } = await post('/v1/tasks', body.replace(/^\{/, '{"unknown":1,'));
  expect([code, found]).not.toContain('malformed_json');
  expect(code).toBe('validation_failed');
  expect(['null_byte', 'lone_surrogate']).not.toContain(found);
});

test('any other text arrives as it was sent', async () => {
  const title = 'a "quoted": 𝄞 \u202eright to left\u202c \u0001 é e\u0301 \u2028 \\u0000';
  const { status, body } = await client.call('POST', '/v1/tasks', { body: { title } });
  expect([status, body.title]).toEqual([201, title]);
  expect((await client.call('GET', `/v1/tasks/${body.id}`)).body.title).toBe(title);
});

test('a content type does not make a body of nothing, where none is needed', async () => {
  const headers = { 'content-type': 'application/json' };
  const { body: task } = await client.call('POST', '/v1/tasks', { body: { title: 'a' } });
  expect((await client.call('DELETE', `/v1/tasks/${task.id}`, { headers })).status).toBe(204);
  const { body: placed } = await client.call('POST', '/v1/orders', {
    body: order({ type: 'limit', limitPrice: '1' }),
    headers: freshKey(),
  });
  const canceled = await client.call('POST', `/v1/orders/${placed.id}/cancel`, { headers });
  expect(canceled.status).toBe(202);
  const ended = await client.call('POST', '/v1/auth/logout', { headers });
  expect(ended.status).toBe(204);
  client = await gateway.client();
});

test.each([
  ['nothing', ''],
  ['noise', '%%%&&&==%zz%00'],
  ['bytes that are no text', '%ff%fe=%c0%af&email=%ed%a0%80'],
  ['null bytes', 'email=%00&password=%00'],
  ['a parameter twice', 'email=a&email=b&password=c'],
  ['a prototype', '__proto__=a&constructor=b'],
  ['500 parameters', Array.from({ length: 500 }, (_, index) => `a${index}=1`).join('&')],
  ['a password of 4,000 characters', `email=a&password=${'a'.repeat(4_000)}`],
])('a form with %s is refused', async (_, form) => {
  const { status, body } = await gateway.call('POST', '/admin/login', {
    body: form,
    headers: {
      'content-type': 'application/x-www-form-urlencoded',
      'sec-fetch-site': 'same-origin',
    },
  });
  expect([status, body.code]).toEqual([400, 'validation_failed']);
});
