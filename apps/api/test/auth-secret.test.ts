import { randomBytes } from 'node:crypto';
import { seal, unseal } from '@gatehouse/domain/sealing';
import { beforeAll, expect, test } from 'vitest';
import { readConfig } from '../src/config.ts';
import { afterFile, freshKey, type Gateway, startGateway } from './harness.ts';
import { bearer, newPerson, type Person } from './people.ts';

const newSecret = () => randomBytes(32).toString('hex');

let before: Gateway;
/** The same with a new secret, that knows the old one. */
let after: Gateway;
/** The same with another secret alone. */
let without: Gateway;
let person: Person;
beforeAll(async () => {
  before = await startGateway({}, afterFile);
  const old = before.config.AUTH_SECRET;
  after = await before.replica({ AUTH_SECRET: `${newSecret()}, ${old}` });
  without = await before.replica({ AUTH_SECRET: newSecret() });
  person = await newPerson(before, 'user');
});

const use = async ({ call }: Gateway, key: string) =>
  (await bearer(call, key)('GET', '/v1/orders')).status;

test('an API key works when the secret has changed, for as long as the old one is given', async () => {
  const { id, key } = (await person.call('POST', '/v1/api-keys', { body: { name: 'k' } })).body;
  expect(await use(before, key)).toBe(200);
  expect(await use(after, key)).toBe(200);
  expect(await use(without, key)).toBe(401);

  // Its next secret is of the new one; the last one works on.
  const rotated = await person.at(after)('POST', `/v1/api-keys/${id}/rotate`, { body: {} });
  expect([await use(after, rotated.body.key), await use(after, key)]).toEqual([200, 200]);
  expect(await use(before, rotated.body.key)).toBe(401);
});

test.each(['from Redis', 'from Postgres'])(
  'a sealed answer is replayed %s when the secret has changed',
  async (tier) => {
    const request = { body: { name: 'k' }, headers: freshKey() };
    const first = await person.call('POST', '/v1/api-keys', request);
    expect(first.status).toBe(201);
    if (tier === 'from Postgres') await before.app.redis.flushdb();
    const there = person.at(after);
    const again = await there('POST', '/v1/api-keys', request);
    expect([again.status, again.headers.get('idempotent-replayed'), again.text]).toEqual([
      201,
      'true',
      first.text,
    ]);
    const other = await there('POST', '/v1/api-keys', { ...request, body: { name: 'other' } });
    expect([other.status, other.body.code]).toEqual([422, 'idempotency_key_reused']);
    // Who does not know the old secret cannot tell the request again: it does not run twice.
    const blind = await person.at(without)('POST', '/v1/api-keys', request);
    expect([blind.status, blind.body.code]).toEqual([422, 'idempotency_key_reused']);
    const { keyHash } = await before.db.apiKey.findUniqueOrThrow({ where: { id: first.body.id } });
    expect(await before.db.apiKey.count({ where: { keyHash } })).toBe(1);
  },
);

test('somebody on the admin pages stays signed in when the secret has changed', async () => {
  const admin = await newPerson(before, 'admin');
  const { headers } = await before.call('POST', '/admin/login', {
    body: new URLSearchParams({ email: admin.email, password: admin.password }).toString(),
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
  });
  const cookies = headers.getSetCookie().map((one) => one.split(';')[0] ?? '');
  const cookie = cookies.find((one) => one.startsWith('admin_session=')) ?? '';
  const visit = async ({ call }: Gateway) =>
    (await call('GET', '/admin/queues', { headers: { cookie, accept: 'text/html' } })).status;
  expect([await visit(before), await visit(after), await visit(without)]).toEqual([200, 200, 302]);
});

test('the fingerprint of a body that may hold a secret cannot be searched for', async () => {
  const name = 'a name that is easy to guess';
  const keys = [freshKey(), freshKey()];
  const stored = [];
  for (const [index, gateway] of [before, without].entries()) {
    const headers = keys[index] ?? {};
    await person.at(gateway)('POST', '/v1/api-keys', { body: { name }, headers });
    const record = await before.db.idempotencyRecord.findFirstOrThrow({
      where: { accountId: person.accountId, key: keys[index]?.['idempotency-key'] ?? '' },
    });
    stored.push(Buffer.from(record.fingerprint).toString('hex'));
  }
  // The same request: what differs is the secret.
  expect(stored[0]).not.toBe(stored[1]);
});

test.each([
  ['short', 'x'.repeat(31)],
  ['short beside a good one', `${'x'.repeat(32)},${'y'.repeat(31)}`],
  ['empty beside a good one', `${'x'.repeat(32)},`],
  ['blank', ' '.repeat(40)],
])('a secret that is %s stops the start, and is not repeated', (_, secret) => {
  const settings = {
    DATABASE_URL: before.databaseUrl,
    REDIS_URL: before.redisUrl,
    AUTH_SIGNING_KEYS: before.config.AUTH_SIGNING_KEYS,
    WEBHOOK_SECRET_KEYS: before.config.WEBHOOK_SECRET_KEYS,
  };
  const read = (AUTH_SECRET: string) => () => readConfig({ ...settings, AUTH_SECRET });
  expect(read('x'.repeat(32))).not.toThrow();
  expect(read(secret)).toThrow(/AUTH_SECRET/);
  expect(read(secret)).not.toThrow(/xxx|yyy/);
});

test('what is sealed opens with the key it was sealed under, among others, and only as it was', () => {
  const [key, other] = [randomBytes(32), randomBytes(32)];
  const sealed = seal(key, 'a secret');
  expect(sealed.toString('latin1')).not.toContain('secret');
  expect(unseal([other, key], sealed)).toBe('a secret');
  expect(() => unseal([other], sealed)).toThrow(/none of the keys/);
  for (let index = 0; index < sealed.length; index += 1) {
    const changed = Buffer.from(sealed);
    changed[index] = (changed[index] ?? 0) ^ 1;
    expect(() => unseal([key], changed)).toThrow(/none of the keys/);
  }
  expect(seal(key, 'a secret')).not.toEqual(sealed);
});
