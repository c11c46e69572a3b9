import { deleteExpiredRecords } from '@gatehouse/db/idempotency-records';
import { lockWaiter } from '@gatehouse/testing/locks';
import { freePort } from '@gatehouse/testing/ports';
import { beforeAll, describe, expect, test } from 'vitest';
import { freshKey, type Gateway, order } from './harness.ts';
import { KEYED_ROUTES } from './keyed-routes.ts';
import { kindOf, startWorld, type World } from './keyed-world.ts';

const HOUR_MS = 3_600_000;

let world: World;
let withoutRedis: Gateway;
beforeAll(async () => {
  world = await startWorld();
  withoutRedis = await world.gateway.replica({
    REDIS_URL: `redis://127.0.0.1:${await freePort()}`,
  });
});

/** As if everything answered so far had been answered that much earlier, and Redis had forgotten it. */
async function age(ms: number): Promise<void> {
  const { app, db } = world.gateway;
  await app.redis.flushdb();
  await db.$executeRaw`
    UPDATE idempotency_record SET created_at = created_at - make_interval(secs => ${ms / 1000})`;
}

/** Milliseconds for which Redis is going to know the key's answer. */
async function lifetimeInRedis(key: Record<string, string>): Promise<number> {
  const { redis } = world.gateway.app;
  const [name] = await redis.keys(`gatehouse:idempotency:*:${key['idempotency-key']}`);
  expect(await redis.hexists(name ?? '', 'a')).toBe(1);
  return redis.pttl(name ?? '');
}

describe.each(KEYED_ROUTES)('$method $route', (route) => {
  test('case 12: shortly before 24 hours it replays; after that the key is new', async () => {
    const { send, other, key } = await world.scene(route);
    const first = await send();
    await age(23 * HOUR_MS);
    const late = await send();
    expect([kindOf(late), late.text]).toEqual(['replayed', first.text]);
    expect(kindOf(await send({ ask: other }))).toBe('422 idempotency_key_reused');
    // Redis may not know it for longer than Postgres does.
    const left = await lifetimeInRedis(key);
    expect(left).toBeLessThanOrEqual(HOUR_MS);
    expect(left).toBeGreaterThan(HOUR_MS - 60_000);

    await age(HOUR_MS);
    const second = await send({ ask: other });
    expect([second.status, kindOf(second)]).toEqual([route.status, 'ran']);
    const anew = await lifetimeInRedis(key);
    expect(anew).toBeGreaterThan(24 * HOUR_MS - 60_000);
    expect(anew).toBeLessThanOrEqual(24 * HOUR_MS);
    await world.gateway.app.redis.flushdb();
    const again = await send({ ask: other });
    expect([kindOf(again), again.text]).toEqual(['replayed', second.text]);
  });

  test('case 12: of many attempts at once with an expired key one runs, the others replay', async () => {
    const { send, key } = await world.scene(route);
    const first = await send();
    const second = await world.scene(route);
    await age(25 * HOUR_MS);
    const from = { ...second.person, call: second.person.at(withoutRedis) };
    const answers = await Promise.all(
      Array.from({ length: 10 }, () => second.send({ from, headers: key })),
    );
    expect(answers.map(kindOf).sort()).toEqual(['ran', ...Array(9).fill('replayed')].sort());
    expect(new Set(answers.map(({ text }) => text)).size).toBe(1);
    expect(await second.effects()).toEqual(route.effect);
    expect(first.status).toBe(route.status);
  });

  test.each(['commits', 'rolls back'])(
    'case 12: an attempt that meets the cleaner at its record runs when that %s',
    async (ending) => {
      const { send, other } = await world.scene(route);
      await send();
      await age(25 * HOUR_MS);
      let answer: ReturnType<typeof send> | undefined;
      const cleaning = world.gateway.db.$transaction(async (tx) => {
        expect(await deleteExpiredRecords(tx, 1_000)).toBeGreaterThan(0);
        answer = send({ ask: other });
        await lockWaiter(world.gateway.db);
        if (ending === 'rolls back') throw new Error('the cleaner was killed');
      });
      if (ending === 'commits') await cleaning;
      else await expect(cleaning).rejects.toThrow('the cleaner was killed');
      const second = await answer;
      expect([second?.status, second && kindOf(second)]).toEqual([route.status, 'ran']);
      expect((await send({ ask: other })).text).toBe(second?.text);
    },
  );
});

test('case 12: a clientOrderId is used for ever', async () => {
  const person = await world.newPerson('user');
  const key = freshKey();
  const place = (headers: Record<string, string>) =>
    person.call('POST', '/v1/orders', { body: order({ clientOrderId: 'mine' }), headers });
  expect(kindOf(await place(key))).toBe('ran');
  await age(25 * HOUR_MS);
  expect(kindOf(await place(freshKey()))).toBe('409 client_order_id_taken');
  expect(kindOf(await place(key))).toBe('409 client_order_id_taken');
});

test('case 12: cleaners and attempts on many expired keys do not fail each other', async () => {
  const { db } = world.gateway;
  const person = await world.newPerson('user');
  const call = { redis: person.call, noRedis: person.at(withoutRedis) };
  const keys = Array.from({ length: 40 }, freshKey);
  const place = (via: 'redis' | 'noRedis') => (headers: Record<string, string>) =>
    call[via]('POST', '/v1/orders', { body: order(), headers });
  const before = await Promise.all(keys.map(place('redis')));
  await age(25 * HOUR_MS);
  const [, , , ...answers] = await Promise.all([
    ...[1, 2, 3].map(() => deleteExpiredRecords(db, 15)),
    Promise.all(keys.map(place('noRedis'))),
    Promise.all(keys.map(place('redis'))),
  ]);
  keys.forEach((key, index) => {
    const pair = answers.flatMap((some) => (Array.isArray(some) ? [some[index]] : []));
    const kinds = pair.map((one) => one && kindOf(one)).sort();
    expect([key, kinds]).toEqual([key, ['ran', 'replayed']]);
    expect(new Set(pair.map((one) => one?.text)).size).toBe(1);
    expect(pair[0]?.body.id).not.toBe(before[index]?.body.id);
  });
  const accountId = (await db.order.findUniqueOrThrow({ where: { id: before[0]?.body.id } }))
    .accountId;
  expect(await db.order.count({ where: { accountId } })).toBe(80);
});
