import { until } from '@gatehouse/testing/condition';
import { beforeAll, describe, expect, test } from 'vitest';
import { afterFile, type Client, type Gateway, startGateway } from './harness.ts';
import { openRaw, type RawAnswer, rawAnswers } from './raw-http.ts';

let gateway: Gateway;
let client: Client;
beforeAll(async () => {
  gateway = await startGateway({ RATE_LIMIT_MAX: '0' }, afterFile);
  client = await gateway.client();
});

/** Sends bytes, and returns the answers once there are as many. */
async function exchange(bytes: string | Buffer, count = 1): Promise<RawAnswer[]> {
  const connection = openRaw(gateway.url);
  connection.send(bytes);
  return until(
    () => {
      const answers = rawAnswers(connection.received());
      return answers.length >= count || connection.isEnded() ? answers : null;
    },
    { what: `${count} answers to ${JSON.stringify(bytes.toString().slice(0, 200))}` },
  );
}

function expectProblem(answer: RawAnswer | undefined, status: number, code: string): void {
  expect([answer?.status, answer?.body.code]).toEqual([status, code]);
  expect(answer?.headers.get('content-type')).toBe('application/problem+json; charset=utf-8');
  expect(answer?.headers.get('x-content-type-options')).toBe('nosniff');
  expect(answer?.headers.get('content-security-policy')).toContain('default-src');
  expect(answer?.headers.get('strict-transport-security')).toContain('max-age=');
  expect(answer?.body.requestId).toBe(answer?.headers.get('x-request-id'));
  expect(answer?.body.type).toBe(`${gateway.config.PUBLIC_URL}/docs#${code}`);
  expect(Object.keys(answer?.body ?? {}).sort()).toEqual(
    expect.arrayContaining(['code', 'detail', 'requestId', 'status', 'title', 'type']),
  );
}

const HOST = 'Host: x';
const message = (...lines: string[]): string => `${lines.join('\r\n')}\r\n\r\n`;
const get = (target: string, ...headers: string[]): string =>
  message(`GET ${target} HTTP/1.1`, HOST, ...headers);
const JSON_TYPE = 'Content-Type: application/json';
const post = (path: string, ...headers: string[]): string =>
  message(`POST ${path} HTTP/1.1`, HOST, ...headers);

describe('bytes that are no request, or one that could be read in two ways', () => {
  test.each<[string, string | Buffer, number, string]>([
    ['noise', Buffer.from([0, 1, 2, 250, 13, 10, 13, 10]), 400, 'bad_request'],
    ['a TLS hello', Buffer.from([22, 3, 1, 2, 0, 1, 0, 1, 252, 3, 3]), 400, 'bad_request'],
    ["HTTP/2's preface", 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 400, 'bad_request'],
    ['an unknown method', message('BREW /health HTTP/1.1', HOST), 400, 'bad_request'],
    ['a method in lower case', message('get /health HTTP/1.1', HOST), 400, 'bad_request'],
    ['HTTP/9.9', message('GET /health HTTP/9.9', HOST), 400, 'bad_request'],
    ['a null byte in the path', get('/v1/orders\0'), 400, 'bad_request'],
    ['a space in the path', get('/v1/or ders'), 400, 'bad_request'],
    ['raw bytes beyond ASCII in a header', get('/health', 'X\xff: 1'), 400, 'bad_request'],
    ['a null byte in a header', get('/health', 'X-A: a\0b'), 400, 'bad_request'],
    ['a space before the colon', get('/health', 'X-A : 1'), 400, 'bad_request'],
    ['a folded header', get('/health', 'X-A: 1', ' 2'), 400, 'bad_request'],
    ['a bare line feed', 'GET /health HTTP/1.1\nHost: x\n\n', 400, 'bad_request'],
    ['no host', message('GET /health HTTP/1.1'), 400, 'ambiguous_header'],
    ['two hosts', get('/health', 'Host: y'), 400, 'ambiguous_header'],
    [
      'two credentials',
      get('/v1/orders', 'Authorization: Bearer a', 'Authorization: Bearer b'),
      400,
      'ambiguous_header',
    ],
    [
      'two content types',
      post('/v1/auth/login', JSON_TYPE, 'content-type: text/plain', 'Content-Length: 0'),
      400,
      'ambiguous_header',
    ],
    [
      'two lengths',
      `${post('/v1/auth/login', JSON_TYPE, 'Content-Length: 2', 'Content-Length: 3')}{}`,
      400,
      'bad_request',
    ],
    [
      'a length and chunks',
      post('/v1/auth/login', JSON_TYPE, 'Content-Length: 2', 'Transfer-Encoding: chunked'),
      400,
      'bad_request',
    ],
    [
      'an encoding that is not known',
      post('/v1/auth/login', JSON_TYPE, 'Transfer-Encoding: chunked, identity'),
      400,
      'bad_request',
    ],
    [
      'a negative length',
      post('/v1/auth/login', JSON_TYPE, 'Content-Length: -1'),
      400,
      'bad_request',
    ],
    [
      'a length of 30 digits',
      post('/v1/auth/login', JSON_TYPE, `Content-Length: ${'9'.repeat(30)}`),
      400,
      'bad_request',
    ],
    [
      'a chunk of no size',
      `${post('/v1/auth/login', JSON_TYPE, 'Transfer-Encoding: chunked')}zz\r\n`,
      400,
      'bad_request',
    ],
    ['headers of 17 KiB', get('/health', `X-A: ${'a'.repeat(17_000)}`), 431, 'headers_too_large'],
    ['a path of 17 KiB', get(`/${'a'.repeat(17_000)}`), 431, 'headers_too_large'],
    [
      '3,000 headers',
      get('/health', ...Array.from({ length: 3_000 }, () => 'a:')),
      431,
      'headers_too_large',
    ],
    [
      '101 headers',
      get('/health', ...Array.from({ length: 100 }, () => 'a: b')),
      431,
      'headers_too_large',
    ],
    ['an expectation', get('/health', 'Expect: the impossible'), 417, 'expectation_failed'],
    ['CONNECT', message('CONNECT example.com:443 HTTP/1.1', HOST), 405, 'method_not_allowed'],
    ['TRACE', message('TRACE /health HTTP/1.1', HOST), 405, 'method_not_allowed'],
    ['an unusual method', message('PROPFIND /health HTTP/1.1', HOST), 405, 'method_not_allowed'],
    ['a URL that is not here', get('http://example.com/none'), 404, 'route_not_found'],
    ['a target that is *', message('OPTIONS * HTTP/1.1', HOST), 404, 'route_not_found'],
    ['a path of 15 KiB', get(`/v1/${'a'.repeat(15_000)}`), 404, 'route_not_found'],
    ['a path that climbs', get('/docs/../../../etc/passwd'), 404, 'route_not_found'],
    [
      'a path that climbs, encoded',
      get('/docs/static/..%2f..%2fpackage.json'),
      404,
      'route_not_found',
    ],
    ['a lonely %', get('/v1/orders/%'), 400, 'bad_request'],
    ['an encoding that is none', get('/v1/orders/%zz'), 400, 'bad_request'],
    ['an over-long encoding', get('/v1/orders/%c0%af'), 400, 'bad_request'],
  ])('%s', async (_, bytes, status, code) => {
    const [answer, ...others] = await exchange(bytes);
    expectProblem(answer, status, code);
    expect(others).toEqual([]);
  });

  test.each<[string, string, number]>([
    [
      'a URL, which is for proxies first (RFC 9112, section 3.2.2)',
      get('http://example.com/health'),
      200,
    ],
    ['HTTP/1.0, which has no host', message('GET /health HTTP/1.0'), 200],
    [
      'an upgrade, which is not taken',
      get('/health', 'Connection: Upgrade', 'Upgrade: websocket'),
      200,
    ],
    [
      'an upgrade to HTTP/2',
      get(
        '/health',
        'Connection: Upgrade, HTTP2-Settings',
        'Upgrade: h2c',
        'HTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA',
      ),
      200,
    ],
  ])('%s', async (_, bytes, status) => {
    expect((await exchange(bytes)).map((answer) => answer.status)).toEqual([status]);
  });
});

describe('requests of a known client', () => {
  test.each<[string, string, number, string]>([
    ['an id of null bytes', '/v1/orders/%00', 400, 'validation_failed'],
    ['an over-long id', `/v1/orders/${'0'.repeat(1_500)}`, 400, 'validation_failed'],
    ['an id of 15 KiB', `/v1/orders/${'0'.repeat(15_000)}`, 400, 'bad_request'],
    [
      'a clientOrderId with a null byte',
      '/v1/orders/by-client-order-id/%00',
      400,
      'validation_failed',
    ],
    ['7,500 times one parameter', `/v1/orders?${'a&'.repeat(7_500)}`, 400, 'validation_failed'],
    [
      '2,500 parameters',
      `/v1/orders?${Array.from({ length: 2_500 }, (_, index) => `a${index}`).join('&')}`,
      400,
      'validation_failed',
    ],
    ['a parameter of another name', '/v1/orders?limit[]=1', 400, 'validation_failed'],
    ['a parameter twice', '/v1/orders?limit=1&limit=2', 400, 'validation_failed'],
    ['a parameter that would be a prototype', '/v1/orders?__proto__=1', 400, 'validation_failed'],
    [
      'a parameter that would be a constructor',
      '/v1/orders?constructor[prototype][a]=1',
      400,
      'validation_failed',
    ],
    ['a limit with a null byte', '/v1/orders?limit=%00', 400, 'validation_failed'],
    ['an over-long limit', `/v1/orders?limit=${'1'.repeat(10_000)}`, 400, 'validation_failed'],
    ['an exponent', '/v1/orders?limit=1e1000', 400, 'validation_failed'],
    ['a cursor of 10 KiB', `/v1/orders?cursor=${'a'.repeat(10_000)}`, 400, 'validation_failed'],
  ])('%s', async (_, target, status, code) => {
    const [answer] = await exchange(get(target, `Authorization: Bearer ${client.token}`));
    expectProblem(answer, status, code);
  });

  test('a clientOrderId is found by its longest spelling', async () => {
    const clientOrderId = '𝄞'.repeat(128);
    const placed = await client.call('POST', '/v1/orders', {
      body: { symbol: 'AAPL', side: 'buy', type: 'market', quantity: 1, clientOrderId },
      headers: { 'idempotency-key': 'longest' },
    });
    expect(placed.status).toBe(201);
    const path = `/v1/orders/by-client-order-id/${encodeURIComponent(clientOrderId)}`;
    expect((await client.call('GET', path)).body.id).toBe(placed.body.id);
  });
});
