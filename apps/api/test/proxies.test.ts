import { expect, test } from 'vitest';
import { readConfig } from '../src/config.ts';
import { trustedProxies } from '../src/http/trusted-proxies.ts';
import { startGateway } from './harness.ts';

const PERSON = { email: 'ada@example.com', password: 'wild rhubarb orchestra', name: 'Ada' };

test.each([
  ['', []],
  ['127.0.0.1', ['127.0.0.1']],
  [' 10.0.0.0/8 ,2001:db8::/32, ::1', ['10.0.0.0/8', '2001:db8::/32', '::1']],
  ['loopback,linklocal,uniquelocal', ['loopback', 'linklocal', 'uniquelocal']],
])('TRUST_PROXY=%j names proxies', async (setting, proxies) => {
  expect(trustedProxies(setting)).toEqual(proxies);
  const gateway = await startGateway({ TRUST_PROXY: setting });
  expect((await gateway.call('GET', '/health')).status).toBe(200);
});

test.each([
  'true',
  '1',
  '*',
  'proxy.example.com',
  '10.0.0.0/33',
  '10.0.0.0/0',
  '::/0',
  '10.0.0.0/8/8',
  '10.0.0.0/255.0.0.0',
  '10.0.0.256',
  '127.0.0.1;10.0.0.1',
  '127.0.0.1,everybody',
])('TRUST_PROXY=%s stops the start with one line that names it', (setting) => {
  const settings = {
    DATABASE_URL: 'postgres://x',
    REDIS_URL: 'redis://x',
    AUTH_SECRET: 's'.repeat(32),
    AUTH_SIGNING_KEYS: 'k',
    WEBHOOK_SECRET_KEYS: 's'.repeat(32),
  };
  expect(readConfig({ ...settings, TRUST_PROXY: '127.0.0.1' }).TRUST_PROXY).toBe('127.0.0.1');
  expect(() => readConfig({ ...settings, TRUST_PROXY: setting })).toThrow(
    /^TRUST_PROXY must be .+$/,
  );
});

/** Who a registration is written down as coming from, and how many requests were left to its sender. */
async function register(trusted: string, forwardedFor: string) {
  const gateway = await startGateway({ TRUST_PROXY: trusted, RATE_LIMIT_AUTH_MAX: '2' });
  const headers = { 'x-forwarded-for': forwardedFor };
  const { status, body } = await gateway.call('POST', '/v1/auth/register', {
    body: PERSON,
    headers,
  });
  expect(status).toBe(201);
  const listed = await gateway.call('GET', '/v1/auth/sessions', {
    headers: { authorization: `Bearer ${body.accessToken}` },
  });
  const [entry] = await gateway.db.auditEntry.findMany({ where: { action: 'auth.registered' } });
  const again = await gateway.call('POST', '/v1/auth/login', {
    body: { email: PERSON.email, password: 'wrong' },
    headers: { 'x-forwarded-for': '203.0.113.99' },
  });
  return {
    session: listed.body.data[0].address,
    audit: entry?.address,
    left: again.headers.get('ratelimit')?.split(';')[1],
  };
}

test('without a proxy X-Forwarded-For changes neither who is counted nor who is written down', async () => {
  const direct = { session: '127.0.0.1', audit: '127.0.0.1', left: 'r=0' };
  expect(await register('', '203.0.113.5')).toEqual(direct);
  expect(await register('10.0.0.0/8', '203.0.113.5')).toEqual(direct);
});

test('of a trusted proxy X-Forwarded-For is believed, but not what came to the proxy with it', async () => {
  const client = { session: '203.0.113.5', audit: '203.0.113.5', left: 'r=1' };
  expect(await register('loopback', '203.0.113.5')).toEqual(client);
  expect(await register('127.0.0.1', '198.51.100.1, 203.0.113.5')).toEqual(client);
  expect(await register('127.0.0.1,10.0.0.0/8', '1.1.1.1, 203.0.113.5, 10.1.2.3')).toEqual(client);
});

test('a foreign page stays foreign, whatever host is said to have been asked', async () => {
  const gateway = await startGateway();
  const proxied = await gateway.replica({ TRUST_PROXY: '127.0.0.1' });
  const send = async (to: typeof gateway, headers: Record<string, string>) =>
    (await to.call('POST', '/admin/logout', { headers, body: {} })).status;
  const foreign = {
    origin: 'https://evil.example',
    'x-forwarded-host': 'evil.example',
    'x-forwarded-proto': 'https',
  };
  expect(await send(gateway, foreign)).toBe(403);
  expect(await send(gateway, { ...foreign, forwarded: 'host=evil.example' })).toBe(403);
  // Believed of a proxy, which says which of our names a browser has asked.
  const ours = { origin: 'https://api.example', 'x-forwarded-host': 'api.example' };
  expect(await send(proxied, ours)).toBe(303);
  expect(await send(gateway, ours)).toBe(403);
  expect(await send(proxied, { ...ours, origin: 'https://evil.example' })).toBe(403);
  expect(await send(gateway, { origin: gateway.url })).toBe(303);
});
