import { createPrivateKey, generateKeyPairSync } from 'node:crypto';
import { createLocalJWKSet, jwtVerify, SignJWT, UnsecuredJWT } from 'jose';
import { expect, test } from 'vitest';
import { isApiKey, newApiKey } from '../src/auth/api-keys.ts';
import { hashPassword, verifyPassword } from '../src/auth/passwords.ts';
import { startGateway } from './harness.ts';

const PERSON = { email: 'Ada@Example.com', password: 'correct horse', name: 'Ada' };

test('registering gives a session and a paper account; the address is taken however it is spelled', async () => {
  const gateway = await startGateway({ PAPER_STARTING_CASH: '2500.50' });
  const { status, body } = await gateway.call('POST', '/v1/auth/register', { body: PERSON });
  expect(status).toBe(201);
  expect(body).toMatchObject({
    tokenType: 'Bearer',
    expiresIn: 900,
    user: { email: 'ada@example.com', role: 'user' },
  });
  expect(JSON.stringify(body)).not.toMatch(/argon2|password/i);
  const headers = { authorization: `Bearer ${body.accessToken}` };
  expect((await gateway.call('GET', '/v1/account', { headers })).body).toMatchObject({
    cash: '2500.50',
    buyingPower: '2500.50',
    equity: '2500.50',
  });
  const { data } = (await gateway.call('GET', '/v1/account/ledger', { headers })).body;
  expect(
    data.map(({ ledger, amount }: Record<string, string>) => `${ledger} ${amount}`).sort(),
  ).toEqual(['cash 2500.50', 'equity -2500.50']);
  const again = await gateway.call('POST', '/v1/auth/register', {
    body: { ...PERSON, email: 'ADA@example.com' },
  });
  expect([again.status, again.body.code]).toEqual([409, 'email_taken']);
});

test('of ten registrations of one address at once one succeeds', async () => {
  const gateway = await startGateway();
  const answers = await Promise.all(
    Array.from({ length: 10 }, () => gateway.call('POST', '/v1/auth/register', { body: PERSON })),
  );
  expect(answers.map(({ status }) => status).sort()).toEqual([201, ...Array(9).fill(409)]);
  expect(await gateway.db.account.count()).toBe(1);
});

test.each([
  ['an address without @', { email: 'ada' }],
  ['a short password', { password: '1234567' }],
  ['an over-long password', { password: 'x'.repeat(129) }],
  ['no name', { name: '' }],
  ['a role of his choice', { role: 'admin' }],
])('registering with %s is refused', async (_, changes) => {
  const gateway = await startGateway();
  const { status } = await gateway.call('POST', '/v1/auth/register', {
    body: { ...PERSON, ...changes },
  });
  expect(status).toBe(400);
  expect(await gateway.db.user.count()).toBe(0);
});

test('a wrong password and an unknown address get the same answer', async () => {
  const gateway = await startGateway();
  await gateway.call('POST', '/v1/auth/register', { body: PERSON });
  const right = await gateway.call('POST', '/v1/auth/login', {
    body: { email: 'ada@EXAMPLE.com', password: PERSON.password },
  });
  expect(right.status).toBe(200);
  const login = (email: string) =>
    gateway.call('POST', '/v1/auth/login', { body: { email, password: 'wrong' } });
  const [wrong, unknown] = [await login('ada@example.com'), await login('nobody@example.com')];
  for (const { status, headers, body } of [wrong, unknown]) {
    expect([status, body.code]).toEqual([401, 'invalid_credentials']);
    expect(headers.get('www-authenticate')).toBe('Bearer');
  }
  expect({ ...wrong.body, requestId: '' }).toEqual({ ...unknown.body, requestId: '' });
});

test('passwords are argon2id in PHC form, salted, and verified by their own parameters', async () => {
  const [one, two] = await Promise.all([hashPassword('secret'), hashPassword('secret')]);
  expect(one).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
  expect(one).not.toBe(two);
  expect(await verifyPassword('secret', one)).toBe(true);
  expect(await verifyPassword('Secret', one)).toBe(false);
  expect(await verifyPassword('secret', null)).toBe(false);
  // Made by the reference implementation: echo -n password | argon2 somesalt -id -t 2 -m 16 -p 1
  const foreign =
    '$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc';
  expect(await verifyPassword('password', foreign)).toBe(true);
});

test('tokens are signed by a published key, and nothing else is believed', async () => {
  const gateway = await startGateway();
  const { body } = await gateway.call('POST', '/v1/auth/register', { body: PERSON });
  const jwks = (await gateway.call('GET', '/.well-known/jwks.json')).body;
  const { payload, protectedHeader } = await jwtVerify(body.accessToken, createLocalJWKSet(jwks));
  expect(JSON.stringify(jwks)).not.toContain('"d"');

  const ours = createPrivateKey({
    key: Buffer.from(gateway.config.AUTH_SIGNING_KEYS, 'base64'),
    format: 'der',
    type: 'pkcs8',
  });
  const sign = (changes: object, header: object = {}, key = ours) =>
    new SignJWT({ ...payload, ...changes })
      .setProtectedHeader({ ...protectedHeader, ...header })
      .sign(key);
  const stranger = generateKeyPairSync('ed25519').privateKey;
  const [head, claims, signature] = body.accessToken.split('.');
  const forgeries: Record<string, string> = {
    'another key': await sign({}, {}, stranger),
    'an unknown kid': await sign({}, { kid: 'other' }),
    expired: await sign({ exp: Math.floor(Date.now() / 1000) - 60 }),
    'another audience': await sign({ aud: 'elsewhere' }),
    'another issuer': await sign({ iss: 'elsewhere' }),
    'another type': await sign({}, { typ: 'JWT' }),
    'alg none': new UnsecuredJWT(payload).encode(),
    'an HMAC with the public key': await new SignJWT(payload)
      .setProtectedHeader({ alg: 'HS256', kid: protectedHeader.kid ?? '', typ: 'at+jwt' })
      .sign(Buffer.from(jwks.keys[0].x, 'base64url')),
    'changed claims': [
      head,
      Buffer.from(JSON.stringify({ ...payload, role: 'admin' })).toString('base64url'),
      signature,
    ].join('.'),
    'no signature': `${head}.${claims}.`,
    garbage: 'x.y.z',
  };
  for (const [kind, token] of Object.entries(forgeries)) {
    const answer = await gateway.call('GET', '/v1/account', {
      headers: { authorization: `Bearer ${token}` },
    });
    expect([kind, answer.status, answer.headers.get('www-authenticate')]).toEqual([
      kind,
      401,
      'Bearer',
    ]);
  }
  expect((await gateway.call('GET', '/v1/account')).status).toBe(401);
  expect(
    (
      await gateway.call('GET', '/v1/account', {
        headers: { authorization: `Basic ${body.accessToken}` },
      })
    ).status,
  ).toBe(401);
  const control = await gateway.call('GET', '/v1/account', {
    headers: { authorization: `bearer ${await sign({})}` },
  });
  expect(control.status).toBe(200);
});

test('an API key works within its scopes, is shown once, and stops when it is revoked', async () => {
  const gateway = await startGateway();
  const client = await gateway.client();
  const { status, body } = await client.call('POST', '/v1/api-keys', {
    body: { name: 'bot', scopes: ['orders:read'] },
  });
  expect(status).toBe(201);
  expect(body.key).toMatch(/^gh_[0-9A-Za-z]{36}$/);
  const headers = { authorization: `Bearer ${body.key}` };
  const get = (path: string) => gateway.call('GET', path, { headers });
  expect((await get('/v1/orders')).status).toBe(200);
  expect([(await get('/v1/tasks')).status, (await get('/v1/tasks')).body.code]).toEqual([
    403,
    'forbidden',
  ]);
  expect(
    (await gateway.call('POST', '/v1/api-keys', { body: { name: 'child' }, headers })).status,
  ).toBe(403);

  const listed = (await client.call('GET', '/v1/api-keys')).body.data;
  expect(listed).toHaveLength(1);
  expect(listed[0]).toMatchObject({
    name: 'bot',
    prefix: body.key.slice(0, 7),
    lastFour: body.key.slice(-4),
  });
  expect(JSON.stringify(listed)).not.toContain(body.key);
  expect(JSON.stringify(await gateway.db.apiKey.findMany())).not.toContain(body.key);

  expect((await client.call('DELETE', `/v1/api-keys/${body.id}`)).status).toBe(204);
  const { until } = await import('@gatehouse/testing/condition');
  await until(async () => (await get('/v1/orders')).status === 401, {
    timeoutMs: 2_000,
    what: 'the key to stop',
  });
});

test('an expired key and a mistyped key are refused', async () => {
  const gateway = await startGateway();
  const client = await gateway.client();
  const { body } = await client.call('POST', '/v1/api-keys', {
    body: { name: 'old', expiresAt: new Date(Date.now() - 1_000).toISOString() },
  });
  const use = (key: string) =>
    gateway.call('GET', '/v1/orders', { headers: { authorization: `Bearer ${key}` } });
  expect((await use(body.key)).status).toBe(401);
  const other = newApiKey();
  expect(isApiKey(other)).toBe(true);
  expect(isApiKey(`${other.slice(0, 10)}${other[10] === 'a' ? 'b' : 'a'}${other.slice(11)}`)).toBe(
    false,
  );
  expect((await use(other)).status).toBe(401);
});
