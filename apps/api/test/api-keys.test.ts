import { newId } from '@gatehouse/domain/id';
import { until } from '@gatehouse/testing/condition';
import { beforeAll, expect, test } from 'vitest';
import { isApiKey, newApiKey } from '../src/auth/api-keys.ts';
import { afterFile, freshKey, type Gateway, startGateway } from './harness.ts';
import { bearer, newPerson, type Person } from './people.ts';

let gateway: Gateway;
let person: Person;
beforeAll(async () => {
  gateway = await startGateway({ RATE_LIMIT_MAX: '0' }, afterFile);
  person = await newPerson(gateway, 'user');
});

/** The status that a request with this key gets, at the gateway that is given. */
const use = async (key: string, { call } = gateway) =>
  (await bearer(call, key)('GET', '/v1/orders')).status;

async function newKey(body: object = {}) {
  const answer = await person.call('POST', '/v1/api-keys', { body: { name: 'bot', ...body } });
  expect(answer.status).toBe(201);
  return answer.body;
}

const rotate = (id: string, body?: object, headers = {}) =>
  person.call('POST', `/v1/api-keys/${id}/rotate`, { body, headers });

async function listed(id: string) {
  const { data } = (await person.call('GET', '/v1/api-keys?limit=100')).body;
  return data.find((key: { id: string }) => key.id === id);
}

async function acts(subjectId: string) {
  const entries = await gateway.db.auditEntry.findMany({
    where: { subjectId },
    orderBy: { id: 'asc' },
  });
  return entries.map(({ action, actorId, credential }) => [action, actorId, credential]);
}

test('a key is shown once, and stored and listed so that nobody can use it', async () => {
  const { id, key } = await newKey({ scopes: ['orders:read'] });
  expect(key).toMatch(/^gh_[0-9A-Za-z]{36}$/);
  expect(await use(key)).toBe(200);
  const shown = await listed(id);
  expect(shown).toEqual({
    id,
    name: 'bot',
    prefix: key.slice(0, 7),
    lastFour: key.slice(-4),
    scopes: ['orders:read'],
    expiresAt: null,
    previousExpiresAt: null,
    lastUsedAt: null,
    createdAt: expect.any(String),
  });
  const stored = await gateway.db.apiKey.findUniqueOrThrow({ where: { id } });
  expect(JSON.stringify(stored)).not.toContain(key.slice(7, -4));
  expect(Buffer.from(stored.keyHash).toString('latin1')).not.toContain(key.slice(7, -4));
});

test('a key makes, rotates, lists and revokes no keys, not even itself', async () => {
  const { id, key } = await newKey();
  const call = bearer(gateway.call, key);
  const answers = [
    await call('POST', '/v1/api-keys', { body: { name: 'child' } }),
    await call('POST', `/v1/api-keys/${id}/rotate`, { body: {} }),
    await call('GET', '/v1/api-keys'),
    await call('DELETE', `/v1/api-keys/${id}`),
  ];
  expect(answers.map(({ status }) => status)).toEqual([403, 403, 403, 403]);
  expect(await use(key)).toBe(200);
});

test('a mistyped key and an unknown one are refused', async () => {
  const unknown = newApiKey();
  const mistyped = `${unknown.slice(0, 10)}${unknown[10] === 'a' ? 'b' : 'a'}${unknown.slice(11)}`;
  expect([isApiKey(unknown), isApiKey(mistyped)]).toEqual([true, false]);
  expect([await use(unknown), await use(mistyped)]).toEqual([401, 401]);
});

test('a key that ends works until then; one that has ended is not made', async () => {
  const inAMoment = new Date(Date.now() + 4_000).toISOString();
  const { key } = await newKey({ expiresAt: inAMoment });
  expect(await use(key)).toBe(200);
  await until(async () => (await use(key)) === 401, { what: 'the key to end' });
  expect(Date.now()).toBeGreaterThanOrEqual(Date.parse(inAMoment));

  const idempotencyKey = freshKey();
  const make = (expiresAt: string) =>
    person.call('POST', '/v1/api-keys', {
      body: { name: 'late', expiresAt },
      headers: idempotencyKey,
    });
  const refused = await make(new Date(Date.now() - 1_000).toISOString());
  expect(refused.status).toBe(400);
  expect(refused.body).toMatchObject({
    code: 'validation_failed',
    errors: [{ pointer: '/expiresAt', code: 'in_the_past', message: 'must be in the future' }],
  });
  expect(await gateway.db.apiKey.count({ where: { name: 'late' } })).toBe(0);
  // The idempotency key is unused.
  expect((await make(new Date(Date.now() + 60_000).toISOString())).status).toBe(201);
});

test('a rotated key has the same id and a new secret; the old one works until the overlap is over', async () => {
  const { id, key: old } = await newKey({ scopes: ['orders:read'] });
  expect(await use(old)).toBe(200);
  const { status, body } = await rotate(id, { overlapSeconds: 5 });
  expect(status).toBe(200);
  expect(body).toMatchObject({
    id,
    name: 'bot',
    scopes: ['orders:read'],
    prefix: body.key.slice(0, 7),
  });
  expect(body.key).not.toBe(old);
  expect([await use(body.key), await use(old)]).toEqual([200, 200]);
  const { previousExpiresAt, lastFour } = await listed(id);
  expect(lastFour).toBe(body.key.slice(-4));
  await until(async () => (await use(old)) === 401, { what: 'the old secret to end' });
  expect(Date.now()).toBeGreaterThanOrEqual(Date.parse(previousExpiresAt));
  expect(await use(body.key)).toBe(200);
  expect((await listed(id)).previousExpiresAt).toBeNull();
});

test('the overlap is a day unless told otherwise, and no longer than the key lives', async () => {
  const { id } = await newKey();
  const before = Date.now();
  const { previousExpiresAt } = (await rotate(id)).body;
  const seconds = (Date.parse(previousExpiresAt) - before) / 1_000;
  expect(seconds).toBeGreaterThan(86_390);
  expect(seconds).toBeLessThan(86_460);

  const expiresAt = new Date(Date.now() + 60_000).toISOString();
  const short = await newKey({ expiresAt });
  expect((await rotate(short.id)).body).toMatchObject({ expiresAt, previousExpiresAt: expiresAt });
});

test('without an overlap the old secret ends at once; a second rotation ends the first one at once', async () => {
  const { id, key: first } = await newKey();
  expect(await use(first)).toBe(200);
  const { key: second } = (await rotate(id, { overlapSeconds: 600 })).body;
  expect([await use(first), await use(second)]).toEqual([200, 200]);
  const { key: third } = (await rotate(id, { overlapSeconds: 600 })).body;
  expect([await use(first), await use(second), await use(third)]).toEqual([401, 200, 200]);
  const { body } = await rotate(id, { overlapSeconds: 0 });
  expect(body.previousExpiresAt).toBeNull();
  expect([await use(second), await use(third), await use(body.key)]).toEqual([401, 401, 200]);
});

test('of many rotations at once one secret is left, and the one before', async () => {
  const { id, key } = await newKey();
  const answers = await Promise.all(Array.from({ length: 5 }, () => rotate(id)));
  expect(answers.map(({ status }) => status)).toEqual(Array(5).fill(200));
  const secrets = [key, ...answers.map(({ body }) => body.key)];
  const statuses = await Promise.all(secrets.map((secret) => use(secret)));
  expect(statuses.filter((status) => status === 200)).toHaveLength(2);
  expect(statuses[0]).toBe(401);
});

test('only a live key of his own can be rotated', async () => {
  const [revoked, ended, mine] = [await newKey(), await newKey(), await newKey()];
  await person.call('DELETE', `/v1/api-keys/${revoked.id}`);
  await gateway.db.apiKey.update({ where: { id: ended.id }, data: { expiresAt: new Date() } });
  const stranger = await newPerson(gateway, 'admin');
  const answers = [
    await rotate(revoked.id),
    await rotate(ended.id),
    await rotate(newId()),
    await stranger.call('POST', `/v1/api-keys/${mine.id}/rotate`, { body: {} }),
    await stranger.call('DELETE', `/v1/api-keys/${mine.id}`),
  ];
  expect(answers.map(({ status }) => status)).toEqual([404, 404, 404, 404, 404]);
  expect(await use(mine.key)).toBe(200);
  for (const overlapSeconds of [-1, 604_801, 1.5, '60']) {
    expect((await rotate(mine.id, { overlapSeconds })).status).toBe(400);
  }
});

test('what is done to a key is in the audit log, once, and what is refused is not', async () => {
  const { id, key } = await newKey({ scopes: ['tasks:read', 'orders:read'] });
  const retry = freshKey();
  for (const _ of [1, 2]) await rotate(id, { overlapSeconds: 5 }, retry);
  await person.call('DELETE', `/v1/api-keys/${id}`);
  await person.call('DELETE', `/v1/api-keys/${id}`);
  const actor = [person.userId, 'session'];
  expect(await acts(id)).toEqual([
    ['api_key.created', ...actor],
    ['api_key.rotated', ...actor],
    ['api_key.revoked', ...actor],
  ]);
  const written = JSON.stringify(
    await gateway.db.auditEntry.findMany({ where: { subjectId: id } }),
  );
  expect(written).toContain('tasks:read orders:read');
  expect(written).not.toContain(key);
});

test('a revoked or rotated key stops at once here, and within a second at another gateway', async () => {
  const replica = await gateway.replica();
  const [revoked, rotated] = [await newKey(), await newKey()];
  for (const { key } of [revoked, rotated]) expect(await use(key, replica)).toBe(200);
  await person.call('DELETE', `/v1/api-keys/${revoked.id}`);
  await rotate(rotated.id, { overlapSeconds: 0 });
  expect([await use(revoked.key), await use(rotated.key)]).toEqual([401, 401]);
  const there = () => Promise.all([revoked, rotated].map(({ key }) => use(key, replica)));
  await until(async () => (await there()).every((status) => status === 401), {
    what: 'the keys to stop at the other gateway',
  });
});
