import { BrokerUnavailable } from '@gatehouse/domain/broker';
import { until } from '@gatehouse/testing/condition';
import {
  closedUrl,
  type Script,
  scriptedServer,
  silentServer,
} from '@gatehouse/testing/scripted-server';
import { describe, expect, test } from 'vitest';
import { ALWAYS, brokerOf, buy, failureOf, orderOf, patienceFor } from './parts.ts';

const UNAVAILABLE = 'BrokerUnavailable';
const UNKNOWN = 'OutcomeUnknown';
const REJECTED = 'BrokerRejection';
/** Something that somebody has to mend. */
const PLAIN = 'Error';

const refusal = (status: number, code: number, message: string): Script => ({
  status,
  body: { code, message },
});
const html = (status: number): Script => ({ status, body: '<html>no</html>' });
const later = (status: number, value: string): Script => ({
  status,
  headers: { 'retry-after': value },
});
const inSeconds = (seconds: number) => new Date(Date.now() + seconds * 1_000).toUTCString();

describe('an order is answered', () => {
  test.each<[what: string, Script, kind: string, message: RegExp]>([
    ['with 429', { status: 429 }, UNAVAILABLE, /429/],
    ['with 503 and Retry-After', later(503, '3'), UNAVAILABLE, /503/],
    ['never', 'hang', UNKNOWN, /did not answer/],
    ['by a connection that breaks', 'break', UNKNOWN, /did not answer/],
    ['by half of a body, and no more', 'stop', UNKNOWN, /did not answer/],
    ['by half of a body, and a break', 'cut', UNKNOWN, /did not answer/],
    ['with more than fits', { status: 200, body: 'x'.repeat(300_000) }, UNKNOWN, /did not answer/],
    ['with 500', refusal(500, 50010000, 'internal error'), UNKNOWN, /500/],
    ['with 502', html(502), UNKNOWN, /502/],
    ['with 503', html(503), UNKNOWN, /503/],
    ['with 503 and a Retry-After of nonsense', later(503, '1.5'), UNKNOWN, /503/],
    ['with 504', html(504), UNKNOWN, /504/],
    ['with 500 and Retry-After', later(500, '3'), UNKNOWN, /500/],
    ['with 200 and no JSON', html(200), UNKNOWN, /200/],
    ['with 200 and no order', { status: 200, body: {} }, UNKNOWN, /200/],
    ['with 200 and another order', { status: 200, body: orderOf('b') }, UNKNOWN, /200/],
    [
      'with 200 and a status that nobody knows',
      { status: 200, body: orderOf('a', { status: 'melted' }) },
      UNKNOWN,
      /200/,
    ],
    [
      'with 403 and a reason',
      refusal(403, 40310000, 'insufficient buying power'),
      REJECTED,
      /^insufficient buying power$/,
    ],
    ['with 422', refusal(422, 42210000, 'invalid\n  symbol\u0000'), REJECTED, /^invalid symbol$/],
    ['with 422 and an essay', refusal(422, 42210000, 'ab '.repeat(999)), REJECTED, /^.{200}$/],
    [
      'with 422 and the code of a duplicate',
      refusal(422, 40010001, 'bad qty'),
      REJECTED,
      /^bad qty$/,
    ],
    ['with 403 for the wrong keys', { status: 403, body: { message: 'forbidden.' } }, PLAIN, /403/],
    ['with 403 and a code of another kind', refusal(403, 40110000, 'not authorized'), PLAIN, /403/],
    ['with 403 by a proxy', html(403), PLAIN, /403/],
    ['with 422 by a proxy', html(422), PLAIN, /422/],
    ['with 400', refusal(400, 40010000, 'bad'), PLAIN, /400 .*: bad$/],
    ['with 401', refusal(401, 40110000, 'request is not authorized'), PLAIN, /401/],
    ['with 404', refusal(404, 40410000, 'endpoint not found'), PLAIN, /404/],
    ['with a redirect', { status: 302, headers: { location: '/' } }, PLAIN, /302/],
  ])('%s, and is not sent again', async (_, script, kind, message) => {
    const server = await scriptedServer(script);
    const broker = brokerOf(server.url, patienceFor(script));
    const failure = await failureOf(broker.submit(buy('a'), ALWAYS));
    expect([failure.name, failure.message]).toEqual([kind, expect.stringMatching(message)]);
    expect(server.requests.map(({ method, path }) => `${method} ${path}`)).toEqual([
      'POST /v2/orders',
    ]);
  });

  test.each([
    [429, '7', 7_000, 7_000],
    [503, '7', 7_000, 7_000],
    [429, inSeconds(60), 40_000, 60_000],
    [503, inSeconds(60), 40_000, 60_000],
    [429, '0', 1_000, 1_000],
    [429, inSeconds(-60), 1_000, 1_000],
    [429, '9'.repeat(40), 3_600_000, 3_600_000],
    [429, 'soon', 1, 10_000],
  ])('with %i and Retry-After: %s', async (status, value, least, most) => {
    const server = await scriptedServer(later(status, value));
    const failure = await failureOf(brokerOf(server.url).submit(buy('a'), ALWAYS));
    const wait = failure instanceof BrokerUnavailable ? failure.retryInMs : Number.NaN;
    expect(wait).toBeGreaterThanOrEqual(least);
    expect(wait).toBeLessThanOrEqual(most);
  });
});

describe('an order is not sent', () => {
  const tls = async () => (await scriptedServer('hang')).url.replace('http:', 'https:');
  test.each([
    ['nobody listens', closedUrl],
    ['the name is not known', async () => 'http://alpaca.invalid'],
    ['the other side does not speak TLS', tls],
  ])('when %s', async (_, url) => {
    const failure = await failureOf(brokerOf(await url()).submit(buy('a'), ALWAYS));
    expect(failure).toMatchObject({ name: UNAVAILABLE, retryInMs: expect.any(Number) });
    expect(failure.message).toMatch(/^Alpaca did not answer: ./);
  });

  test('when the connection takes too long', async () => {
    const server = await silentServer();
    const broker = brokerOf(server, { connectMs: 100, totalMs: 60_000 });
    const failure = await failureOf(broker.submit(buy('a'), ALWAYS));
    expect([failure.name, failure.message]).toEqual([
      UNAVAILABLE,
      expect.stringMatching(/Connect Timeout/),
    ]);
  });

  test('when it was given up before', async () => {
    const server = await scriptedServer({ status: 200, body: orderOf('a') });
    const failure = await failureOf(brokerOf(server.url).submit(buy('a'), AbortSignal.abort()));
    expect([failure.name, server.requests]).toEqual([UNAVAILABLE, []]);
  });

  test('when it is given up while it connects, not even later', async () => {
    const server = await scriptedServer({ status: 200, body: orderOf('a') });
    const broker = brokerOf(server.url);
    const giveUp = new AbortController();
    const submission = broker.submit(buy('a'), giveUp.signal);
    giveUp.abort();
    expect(await failureOf(submission)).toMatchObject({ name: UNAVAILABLE });
    await broker.submit(buy('a', { clientOrderId: 'a' }), ALWAYS);
    expect(server.requests).toHaveLength(1);
  });

  test.each(['call', 'put'] as const)('when it is for a %s', async (positionType) => {
    const server = await scriptedServer({ status: 200, body: orderOf('a') });
    const failure = await failureOf(
      brokerOf(server.url).submit(buy('a', { positionType }), ALWAYS),
    );
    expect([failure.name, server.requests]).toEqual([REJECTED, []]);
    expect(failure.message).toContain(positionType);
  });
});

test('an order that is given up after it was sent has an unknown outcome, and holds no connection', async () => {
  const server = await scriptedServer('hang');
  const giveUp = new AbortController();
  const broker = brokerOf(server.url, { headersMs: 60_000, totalMs: 60_000 });
  const submission = failureOf(broker.submit(buy('a'), giveUp.signal));
  await until(() => server.requests.length === 1, { what: 'the order to arrive' });
  giveUp.abort();
  expect((await submission).name).toBe(UNKNOWN);
  await until(async () => (await server.connections()) === 0, { what: 'the connection to end' });
});

describe('a question for an order is answered', () => {
  test.each<[what: string, Script, kind: string]>([
    ['never', 'hang', UNAVAILABLE],
    ['by a connection that breaks', 'break', UNAVAILABLE],
    ['by half of a body', 'cut', UNAVAILABLE],
    ['with 429', later(429, '2'), UNAVAILABLE],
    ['with 500', html(500), UNAVAILABLE],
    ['with 503 and Retry-After', later(503, '2'), UNAVAILABLE],
    ['with 200 and no JSON', html(200), UNAVAILABLE],
    ['with 200 and another order', { status: 200, body: orderOf('b') }, UNAVAILABLE],
    ['with 401', refusal(401, 40110000, 'no'), PLAIN],
    ['with 403', refusal(403, 40310000, 'no'), PLAIN],
    ['with 404 by a proxy', html(404), PLAIN],
  ])('%s', async (_, script, kind) => {
    const server = await scriptedServer(script);
    const broker = brokerOf(server.url, patienceFor(script));
    expect((await failureOf(broker.find('a', ALWAYS))).name).toBe(kind);
  });

  test('with 404 for an order that Alpaca does not have', async () => {
    const server = await scriptedServer(refusal(404, 40410000, 'order not found for a'));
    expect(await brokerOf(server.url).find('a', ALWAYS)).toBeNull();
  });
});

describe('a cancellation is answered', () => {
  test.each<[what: string, Script, kind: string]>([
    ['never', 'hang', UNKNOWN],
    ['by a connection that breaks', 'break', UNKNOWN],
    ['with 500', html(500), UNKNOWN],
    ['with 503 and Retry-After', later(503, '2'), UNAVAILABLE],
    ['with 429', later(429, '2'), UNAVAILABLE],
    ['with 401', refusal(401, 40110000, 'no'), PLAIN],
    ['with 403', refusal(403, 40310000, 'no'), PLAIN],
  ])('%s, and is not sent again', async (_, script, kind) => {
    const server = await scriptedServer(script);
    const broker = brokerOf(server.url, patienceFor(script));
    expect((await failureOf(broker.cancel('b/1', ALWAYS))).name).toBe(kind);
    expect(server.requests.map(({ method, path }) => `${method} ${path}`)).toEqual([
      'DELETE /v2/orders/b%2F1',
    ]);
  });

  test.each([204, 404, 422])('with %i: there is nothing left to cancel', async (status) => {
    const server = await scriptedServer({ status });
    await brokerOf(server.url).cancel('b', ALWAYS);
    expect(server.requests).toHaveLength(1);
  });
});
