import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
} from 'node:crypto';
import { newId } from '@gatehouse/domain/id';
import { createLocalJWKSet, decodeJwt, exportJWK, jwtVerify, SignJWT, UnsecuredJWT } from 'jose';
import { beforeAll, expect, test } from 'vitest';
import { afterFile, type Gateway, startGateway } from './harness.ts';
import { bearer, newPerson, type Person } from './people.ts';

let gateway: Gateway;
let person: Person;
let stranger: Person;
let ours: KeyObject;
let kid: string;
beforeAll(async () => {
  gateway = await startGateway({ RATE_LIMIT_MAX: '0' }, afterFile);
  [person, stranger] = [await newPerson(gateway, 'user'), await newPerson(gateway, 'user')];
  ours = createPrivateKey({
    key: Buffer.from(gateway.config.AUTH_SIGNING_KEYS, 'base64'),
    format: 'der',
    type: 'pkcs8',
  });
  kid = (await gateway.call('GET', '/.well-known/jwks.json')).body.keys[0].kid;
});

const seconds = () => Math.floor(Date.now() / 1_000);

/** A token like the person's own, with other claims and headers, or without those that are undefined. */
function sign(claims: Record<string, unknown> = {}, header: object = {}, key: KeyObject = ours) {
  const payload = { ...decodeJwt(person.token), ...claims };
  return new SignJWT(JSON.parse(JSON.stringify(payload)))
    .setProtectedHeader({ alg: 'EdDSA', kid, typ: 'at+jwt', ...header })
    .sign(key);
}

const bytes = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');

/** The person's token with another header or other claims, and its old signature. */
function patched(header: object | null, claims: object | null): string {
  const [head = '', payload = '', signature = ''] = person.token.split('.');
  return [header ? bytes(header) : head, claims ? bytes(claims) : payload, signature].join('.');
}

const attacker = generateKeyPairSync('ed25519');
const HEADER = () => ({ alg: 'EdDSA', kid, typ: 'at+jwt' });

test.each<[string, () => string | Promise<string>]>([
  ['signed with another key', () => sign({}, {}, attacker.privateKey)],
  [
    'that brings its own key',
    async () => sign({}, { jwk: await exportJWK(attacker.publicKey) }, attacker.privateKey),
  ],
  [
    'that says where its key is',
    () => sign({}, { jku: 'https://evil.example/jwks.json', kid: 'other' }, attacker.privateKey),
  ],
  ['with an unknown kid', () => sign({}, { kid: 'other' })],
  ['without a kid', () => sign({}, { kid: undefined })],
  ['with a kid that is a path', () => sign({}, { kid: '../../../dev/null' })],
  ['that has expired', () => sign({ exp: seconds() - 1 })],
  ['that never expires', () => sign({ exp: undefined })],
  ['that is not good yet', () => sign({ nbf: seconds() + 60 })],
  ['for another audience', () => sign({ aud: 'elsewhere' })],
  ['for nobody', () => sign({ aud: undefined })],
  ['of another issuer', () => sign({ iss: 'elsewhere' })],
  ['of another type', () => sign({}, { typ: 'JWT' })],
  ['of no type', () => sign({}, { typ: undefined })],
  ['without a session', () => sign({ sid: undefined })],
  ['of a session that never was', () => sign({ sid: newId() })],
  ['of a session that is no id', () => sign({ sid: "' OR 1=1 --" })],
  ['of a session of somebody else', () => sign({ sid: String(decodeJwt(stranger.token).sid) })],
  ['of another user in this session', () => sign({ sub: stranger.userId })],
  ['of no user', () => sign({ sub: undefined })],
  ['without a signature, alg none', () => new UnsecuredJWT(decodeJwt(person.token)).encode()],
  ['with alg none and the old signature', () => patched({ ...HEADER(), alg: 'none' }, null)],
  [
    'with an HMAC under the public key',
    () =>
      new SignJWT(decodeJwt(person.token))
        .setProtectedHeader({ ...HEADER(), alg: 'HS256' })
        .sign(createPublicKey(ours).export({ format: 'der', type: 'spki' })),
  ],
  [
    'with another algorithm',
    () =>
      new SignJWT(decodeJwt(person.token))
        .setProtectedHeader({ ...HEADER(), alg: 'ES256' })
        .sign(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey),
  ],
  [
    'that wants what we do not understand',
    () => patched({ ...HEADER(), crit: ['exp'], exp: seconds() + 60 }, null),
  ],
  [
    'with changed claims',
    () => patched(null, { ...decodeJwt(person.token), sub: stranger.userId }),
  ],
  ['with a changed header', () => patched({ ...HEADER(), extra: 1 }, null)],
  ['whose signature was cut', () => person.token.slice(0, -8)],
  ['whose signature is missing', () => person.token.replace(/\.[^.]*$/, '.')],
  ['with two parts', () => person.token.replace(/\.[^.]*$/, '')],
  ['with four parts', () => `${person.token}.x`],
  ['that is garbage', () => 'x.y.z'],
  ['that is an id', () => person.userId],
])('a token %s is refused', async (_, forge) => {
  const answer = await bearer(gateway.call, await forge())('GET', '/v1/orders');
  expect([answer.status, answer.body.code]).toEqual([401, 'unauthorized']);
  expect(answer.headers.get('www-authenticate')).toBe('Bearer');
});

test('a token that is made like those would be, but right, is taken', async () => {
  expect((await bearer(gateway.call, await sign())('GET', '/v1/orders')).status).toBe(200);
  const { payload, protectedHeader } = await jwtVerify(
    person.token,
    createLocalJWKSet((await gateway.call('GET', '/.well-known/jwks.json')).body),
  );
  expect(protectedHeader).toEqual({ alg: 'EdDSA', kid, typ: 'at+jwt' });
  expect(payload).toMatchObject({ sub: person.userId, iss: 'gatehouse', aud: 'gatehouse-api' });
  expect(Number(payload.exp) - Number(payload.iat)).toBe(900);
});

test('a token is believed until it expires, also one that was verified before', async () => {
  const token = await sign({ exp: seconds() + 5 });
  const use = async () => (await bearer(gateway.call, token)('GET', '/v1/orders')).status;
  expect(await use()).toBe(200);
  await expect.poll(use, { timeout: 15_000 }).toBe(401);
});

test('it is a bearer token in one header, and in no other place', async () => {
  const { token } = person;
  const get = async (path: string, headers: Record<string, string>) =>
    (await gateway.call('GET', path, { headers })).status;
  const path = '/v1/orders';
  expect(await get(path, { authorization: `bEARER  ${token}` })).toBe(200);
  for (const headers of [
    {},
    { authorization: token },
    { authorization: `Basic ${token}` },
    { authorization: `Bearer ${token}, Bearer ${token}` },
    { authorization: 'Bearer' },
    { cookie: `access_token=${token}` },
    { 'x-api-key': token },
  ]) {
    expect([headers, await get(path, headers)]).toEqual([headers, 401]);
  }
  expect(await get(`/v1/account?access_token=${token}`, {})).toBe(401);
});
