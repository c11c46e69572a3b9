import { once } from 'node:events';
import { request } from 'node:http';
import { text } from 'node:stream/consumers';
import createError from '@fastify/error';
import type { FastifyError } from 'fastify';
import { beforeAll, describe, expect, test } from 'vitest';
import { createClaims } from '../src/idempotency/claims.ts';
import { fingerprint } from '../src/idempotency/fingerprint.ts';
import { runKeyed } from '../src/idempotency/keyed.ts';
import { PLAIN } from '../src/idempotency/seal.ts';
import { freshKey, order } from './harness.ts';
import { KEYED_ROUTES } from './keyed-routes.ts';
import { kindOf, startWorld, type World } from './keyed-world.ts';

let world: World;
beforeAll(async () => {
  world = await startWorld();
});

test('case 4 and 5: the fingerprint tells method, path and payload, not their spelling', () => {
  const one = fingerprint('POST', '/v1/tasks', { a: 1, b: { c: [1, 2], d: null } });
  expect(fingerprint('POST', '/v1/tasks', { b: { d: null, c: [1, 2] }, a: 1 })).toEqual(one);
  for (const other of [
    fingerprint('PATCH', '/v1/tasks', { a: 1, b: { c: [1, 2], d: null } }),
    fingerprint('POST', '/v1/task', { a: 1, b: { c: [1, 2], d: null } }),
    fingerprint('POST', '/v1/tasks', { a: 1, b: { c: [2, 1], d: null } }),
    fingerprint('POST', '/v1/tasks', { a: '1', b: { c: [1, 2], d: null } }),
    fingerprint('POST', '/v1/tasks', { a: 1, b: { c: [1, 2] } }),
  ]) {
    expect(other).not.toEqual(one);
  }
});

test('case 7: bare, quoted, escaped and alias are one key; upper and lower case are two', async () => {
  const person = await world.newPerson('user');
  const place = async (name: string, key: string) =>
    kindOf(await person.call('POST', '/v1/orders', { body: order(), headers: { [name]: key } }));
  const bare = 'say "when" \\ ~';
  expect(await place('idempotency-key', bare)).toBe('ran');
  expect(await place('Idempotency-Key', '"say \\"when\\" \\\\ ~"')).toBe('replayed');
  expect(await place('x-idempotency-key', bare)).toBe('replayed');
  expect(await place('idempotency-key', bare.toUpperCase())).toBe('ran');
  expect(await place('idempotency-key', 'x'.repeat(255))).toBe('ran');
});

test.each<Record<string, string | string[]>>([
  { 'idempotency-key': ['same', 'same'] },
  { 'x-idempotency-key': ['same', 'same'] },
  { 'idempotency-key': 'same', 'x-idempotency-key': 'same' },
])('case 7: a key that is sent twice is refused: %j', async (keys) => {
  const person = await world.newPerson('user');
  const made = await person.call('POST', '/v1/api-keys', { body: { name: 'k' } });
  // `fetch` would join two headers to one.
  const sent = request(`${world.gateway.url}/v1/orders`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${made.body.key}`,
      'content-type': 'application/json',
      connection: 'close',
      ...keys,
    },
  });
  sent.end(JSON.stringify(order()));
  const [response] = await once(sent, 'response');
  expect(JSON.parse(await text(response))).toMatchObject({
    status: 400,
    code: 'idempotency_key_invalid',
  });
});

test.each([
  ...[404, 409, 410, 412, 422].map((status) => ({ status, isStored: true })),
  ...[400, 401, 403, 413, 415, 429, 500, 503].map((status) => ({ status, isStored: false })),
])('case 8: a $status of what runs is stored: $isStored', async ({ status, isStored }) => {
  const { app, db } = world.gateway;
  const { accountId } = await db.user.findFirstOrThrow();
  const keyed = {
    db,
    claims: createClaims(app.redis),
    log: app.log,
    request: {
      accountId,
      key: freshKey()['idempotency-key'],
      fingerprint: fingerprint('POST', '/', status),
    },
    seal: PLAIN,
    renderError: (error: FastifyError) => ({ status, headers: {}, body: error.message }),
  };
  let runs = 0;
  const attempt = () =>
    runKeyed(keyed, async () => {
      runs += 1;
      throw new (createError('REFUSED', `attempt ${runs}`, status))();
    });
  const answers = [await attempt().catch(String), await attempt().catch(String)];
  expect(runs).toBe(isStored ? 1 : 2);
  expect(answers).toEqual(
    isStored
      ? [false, true].map((replayed) => ({
          answer: { status, headers: {}, body: 'attempt 1' },
          replayed,
        }))
      : [1, 2].map((run) => `FastifyError [REFUSED]: attempt ${run}`),
  );
});

test('case 8: a clientOrderId that is taken is the answer, also when nothing takes it any more', async () => {
  const { db, app } = world.gateway;
  const person = await world.newPerson('user');
  const place = (headers: Record<string, string>) =>
    person.call('POST', '/v1/orders', { body: order({ clientOrderId: 'mine' }), headers });
  const [first, second] = [freshKey(), freshKey()];
  const placed = await place(first);
  const refused = await place(second);
  expect(kindOf(refused)).toBe('409 client_order_id_taken');
  await db.job.deleteMany({ where: { subjectId: placed.body.id } });
  await db.order.delete({ where: { id: placed.body.id } });
  for (const forget of [() => undefined, () => app.redis.flushdb()]) {
    await forget();
    const again = await place(second);
    expect([again.status, kindOf(again), again.text]).toEqual([409, 'replayed', refused.text]);
  }
  expect(kindOf(await place(first))).toBe('replayed');
  expect(kindOf(await place(freshKey()))).toBe('ran');
});

test('case 8: a failed precondition is the answer, also once the version is the one it asked for', async () => {
  const person = await world.newPerson('user');
  const { body } = await person.call('POST', '/v1/tasks', { body: { title: 'a' } });
  const change = (title: string, headers: Record<string, string>) =>
    person.call('PATCH', `/v1/tasks/${body.id}`, { body: { title }, headers });
  const conditional = { ...freshKey(), 'if-match': '"2"' };
  const refused = await change('b', conditional);
  expect(kindOf(refused)).toBe('412 precondition_failed');
  expect((await change('c', {})).headers.get('etag')).toBe('"2"');
  const again = await change('b', conditional);
  expect([again.status, kindOf(again), again.text]).toEqual([412, 'replayed', refused.text]);
});

test('a secret in an answer is not readable where the answer is kept', async () => {
  const { db, app } = world.gateway;
  const person = await world.newPerson('user');
  await app.redis.flushdb();
  const key = freshKey();
  const { body } = await person.call('POST', '/v1/api-keys', { body: { name: 'k' }, headers: key });
  expect(body.key).toMatch(/^gh_/);
  const [record] = await db.idempotencyRecord.findMany({ where: { key: key['idempotency-key'] } });
  const [cached = ''] = await app.redis.keys('gatehouse:idempotency:*');
  const kept = JSON.stringify([record, await app.redis.hgetall(cached)]);
  expect(kept).toContain('"status":201');
  expect(kept).not.toContain(body.key);
  expect(kept).not.toContain(body.id);
  for (const seen of [record?.body ?? '', await app.redis.hget(cached, 'a')]) {
    expect(Buffer.from(String(seen), 'base64').toString('latin1')).not.toContain(body.key);
  }
});

test('case 13: a hundred identical orders under a hundred keys are a hundred orders', async () => {
  const { db } = world.gateway;
  const person = await world.newPerson('user');
  const [orders, jobs] = [await db.order.count(), await db.job.count()];
  const keys = Array.from({ length: 100 }, freshKey);
  const place = (headers: Record<string, string>) =>
    person.call('POST', '/v1/orders', { body: order(), headers });
  const answers = await Promise.all(keys.map(place));
  expect(new Set(answers.map(kindOf))).toEqual(new Set(['ran']));
  const ids = answers.map(({ body }) => body.id);
  expect(new Set(ids).size).toBe(100);
  const again = await Promise.all(keys.map(place));
  expect(again.map(({ body }) => body.id)).toEqual(ids);
  expect(await db.order.count()).toBe(orders + 100);
  expect(await db.job.count()).toBe(jobs + 100);
});

describe('with a budget of requests', () => {
  let limited: World;
  beforeAll(async () => {
    limited = await startWorld({ RATE_LIMIT_MAX: '1000' });
  });

  test.each(KEYED_ROUTES)('case 8: 429 leaves the key unused: $method $route', async (route) => {
    const { send, effects, person } = await limited.scene(route);
    await person.call('GET', '/v1/account');
    const { redis } = limited.gateway.app;
    const counters = () => redis.keys('gatehouse:budget:*');
    // Spends every budget there is by now, that of this account included.
    for (const counter of await counters()) await redis.incrby(counter, 1_000);
    const refused = await send();
    expect(kindOf(refused)).toBe('429 rate_limited');
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    await redis.del(...(await counters()));

    const [first, second] = [await send(), await send()];
    expect([kindOf(first), kindOf(second)]).toEqual(['ran', 'replayed']);
    expect(await effects()).toEqual(route.effect);
    // Case 2: a replay is counted as any other request.
    const left = [first, second].map((answer) => answer.headers.get('ratelimit'));
    expect(left.map((value) => value?.replace(/;t=.*/, ''))).toEqual([
      '"default";r=999',
      '"default";r=998',
    ]);
  });
});
