import { PRICE_PATTERN, QUANTITY_PATTERN } from '@gatehouse/domain/decimal';
import { beforeAll, describe, expect, test } from 'vitest';
import { afterFile, type Client, freshKey, type Gateway, order, startGateway } from './harness.ts';

let gateway: Gateway;
let client: Client;
beforeAll(async () => {
  gateway = await startGateway({ RATE_LIMIT_MAX: '0' }, afterFile);
  client = await gateway.client();
});

/** Whoever waits behind such a request must not notice: this is far more than any takes, also on a busy machine. */
const AT_ONCE_MS = 5_000;

const LENGTH = 1_000_000;
const letters = (text: string): string => text.repeat(Math.floor(LENGTH / text.length));

const PERSON = { email: 'a@example.com', password: 'correct horse', name: 'A' };
const orderWith = (changes: object) => ['/v1/orders', order({ ...changes })] as const;
const personWith = (changes: object) => ['/v1/auth/register', { ...PERSON, ...changes }] as const;
const taskWith = (changes: object) => ['/v1/tasks', { title: 'a', ...changes }] as const;

describe('a megabyte in one value is refused at once', () => {
  test.each<[string, readonly [string, object]]>([
    ['an e-mail of one label', personWith({ email: `a@${letters('a')}` })],
    ['an e-mail of many labels', personWith({ email: `a@${letters('a.')}` })],
    ['an e-mail of hyphens', personWith({ email: `a@${letters('a-')}!` })],
    ['an e-mail of dots', personWith({ email: `${letters('a.')}@` })],
    ['an e-mail of at signs', personWith({ email: letters('@') })],
    ['a name', personWith({ name: letters('é').slice(0, 400_000) })],
    ['a password', personWith({ password: letters('p') })],
    ['a symbol', orderWith({ symbol: letters('A') })],
    ['a quantity', orderWith({ quantity: letters('0') })],
    ['a quantity with a fraction', orderWith({ quantity: `0.${letters('0')}` })],
    ['a quantity without end', orderWith({ quantity: `1${letters('1')}x` })],
    ['a limit', orderWith({ type: 'limit', limitPrice: `1.${letters('1')}` })],
    ['a side', orderWith({ side: letters('buy') })],
    ['a clientOrderId', orderWith({ clientOrderId: letters('c') })],
    ['a time', taskWith({ dueAt: letters('2026-') })],
    ['a time of digits', taskWith({ dueAt: `2026-11-20T08:00:00.${letters('0')}Z` })],
    ['a title', taskWith({ title: letters('t') })],
    [
      'a description of one kind of half',
      taskWith({ description: letters('é').slice(0, 400_000) }),
    ],
    ['a name of a member', taskWith({ [letters('n')]: 1 })],
    [
      '900 unknown members',
      taskWith(
        Object.fromEntries(
          Array.from({ length: 900 }, (_, index) => [`${index}${'n'.repeat(1_000)}`, 1]),
        ),
      ),
    ],
    [
      'a thousand scopes',
      ['/v1/api-keys', { name: 'k', scopes: Array(1_000).fill('orders:read') }],
    ],
    [
      'a thousand scopes that are objects',
      ['/v1/api-keys', { name: 'k', scopes: Array.from({ length: 1_000 }, (_, a) => ({ a })) }],
    ],
    ['a refresh token', ['/v1/auth/refresh', { refreshToken: letters('r') }]],
  ])('%s', async (_, [path, body]) => {
    const text = JSON.stringify(body);
    const since = performance.now();
    const answer = await client.call('POST', path, { body: text, headers: freshKey() });
    const tookMs = performance.now() - since;
    expect([answer.status, answer.body.code]).toEqual([400, 'validation_failed']);
    expect(answer.text.length).toBeLessThan(20_000);
    expect(tookMs).toBeLessThan(AT_ONCE_MS);
  });
});

describe('numbers', () => {
  test.each<[string, string]>([
    ['a float', '1.5'],
    ['a float that is almost whole', '1.0000000000000002'],
    ['negative zero', '-0'],
    ['a negative', '-3'],
    ['infinity', '1e400'],
    ['minus infinity', '-1e400'],
    ['more than is counted exactly', '9007199254740993'],
    ['a huge exponent', '1e308'],
    ['a tiny exponent', '1e-400'],
    ['true', 'true'],
    ['"true"', '"true"'],
    ['an exponent in a string', '"1e3"'],
    ['a sign', '"+3"'],
    ['hexadecimal', '"0x10"'],
    ['white space', '" 3"'],
    ['a line end', '"3\\n"'],
    ['a comma', '"3,5"'],
    ['digits of another script', '"٣"'],
    ['no digit before the point', '".5"'],
    ['no digit after it', '"5."'],
    ['leading zeros', '"003"'],
    ['30 digits', `"${'9'.repeat(30)}"`],
    ['30 decimals', `"0.${'1'.repeat(30)}"`],
    ['NaN in a string', '"NaN"'],
    ['Infinity in a string', '"Infinity"'],
    ['an empty string', '""'],
    ['a list', '[3]'],
  ])('as a quantity and as a limit, %s is refused', async (_, value) => {
    for (const terms of [
      `"type":"market","quantity":${value}`,
      `"type":"limit","quantity":"1","limitPrice":${value}`,
    ]) {
      const { status, body } = await client.call('POST', '/v1/orders', {
        body: `{"symbol":"AAPL","side":"buy",${terms}}`,
        headers: freshKey(),
      });
      expect([status, body.code]).toEqual([400, 'validation_failed']);
    }
    expect(await gateway.db.order.count()).toBe(0);
  });

  test.each(['"5"', '5.5', '1e400', '-0.1', 'true', '"true"', 'null', '1e1', '10'])(
    'as a priority, %s is refused',
    async (value) => {
      const { status } = await client.call('POST', '/v1/tasks', {
        body: `{"title":"a","priority":${value}}`,
      });
      expect(status).toBe(400);
    },
  );

  test.each([
    '1e1000',
    'Infinity',
    '-Infinity',
    'NaN',
    '0x10',
    '0b1',
    '1e1',
    '+5',
    '%205',
    '5%20',
    '5.0',
    '5.5',
    'true',
    'null',
    '%D9%A3',
    '',
  ])('as a limit of a list, %s is refused', async (value) => {
    const { status, body } = await client.call('GET', `/v1/orders?limit=${value}`);
    expect([status, body.code]).toEqual([400, 'validation_failed']);
    expect(body.errors[0].pointer).toBe('/querystring/limit');
  });

  test('negative zero is zero', async () => {
    const body = '{"title":"a","priority":-0}';
    expect(await client.call('POST', '/v1/tasks', { body })).toMatchObject({
      status: 201,
      body: { priority: 0 },
    });
  });
});

test('the largest order is accepted in full', async () => {
  const terms = { quantity: '999999999.999999', type: 'limit', limitPrice: '999999.9999' };
  expect(terms.quantity).toMatch(new RegExp(QUANTITY_PATTERN));
  expect(terms.limitPrice).toMatch(new RegExp(PRICE_PATTERN));
  const { status, body } = await client.call('POST', '/v1/orders', {
    body: order(terms),
    headers: freshKey(),
  });
  expect(status).toBe(201);
  expect((await client.call('GET', `/v1/orders/${body.id}`)).body).toMatchObject(terms);
});
