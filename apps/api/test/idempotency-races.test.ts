import { freePort } from '@gatehouse/testing/ports';
import { beforeAll, describe, expect, test } from 'vitest';
import type { Gateway, Reply } from './harness.ts';
import { KEYED_ROUTES } from './keyed-routes.ts';
import { kindOf, startWorld, type World } from './keyed-world.ts';
import type { Person } from './people.ts';

const AT_ONCE = 20;

let world: World;
/** On the same Postgres and Redis. */
let replica: Gateway;
/** On the same Postgres, with a Redis that is not there from its start. */
let withoutRedis: Gateway;

beforeAll(async () => {
  world = await startWorld();
  replica = await world.gateway.replica();
  withoutRedis = await world.gateway.replica({
    REDIS_URL: `redis://127.0.0.1:${await freePort()}`,
  });
});

const at = (gateway: Gateway, person: Person): Person => ({ ...person, call: person.at(gateway) });

const forgetRedis = () => world.gateway.app.redis.flushdb();

/** One answer under all of them, given by an attempt that ran. */
function expectOneRun(answers: readonly Reply[]): void {
  expect(answers.filter((answer) => kindOf(answer) === 'ran')).toHaveLength(1);
  const given = answers.filter((answer) => ['ran', 'replayed'].includes(kindOf(answer)));
  expect(new Set(given.map(({ text }) => text)).size).toBe(1);
  for (const answer of answers) {
    if (given.includes(answer)) continue;
    expect(kindOf(answer)).toBe('409 idempotency_key_in_use');
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
  }
}

describe.each(KEYED_ROUTES)('$method $route', (route) => {
  test('case 3: of 20 at once at two gateways one runs; the others wait, or replay', async () => {
    const { send, effects, person } = await world.scene(route);
    const there = at(replica, person);
    const answers = await Promise.all(
      Array.from({ length: AT_ONCE }, (_, index) => send(index % 2 === 0 ? {} : { from: there })),
    );
    expectOneRun(answers);
    expect(await effects()).toEqual(route.effect);
    expect(kindOf(await send())).toBe('replayed');
  });

  test('case 3 and 4: while the first runs, the same is told to wait, another is refused', async () => {
    const { send, other, effects } = await world.scene(route);
    const first = await world.holdingCommits(async (waiters) => {
      const running = send();
      await waiters(1);
      const same = await send();
      expect(kindOf(same)).toBe('409 idempotency_key_in_use');
      expect(same.headers.get('retry-after')).toBe('1');
      const elsewhere = { path: '/v1/tasks', body: { title: 'Buy milk and bread' } };
      for (const different of [{ ask: other }, { ask: elsewhere, method: 'POST' }]) {
        expect(kindOf(await send(different))).toBe('422 idempotency_key_reused');
      }
      return { running };
    });
    const answer = await first.running;
    expect([answer.status, kindOf(answer)]).toEqual([route.status, 'ran']);
    expect((await send()).text).toBe(answer.text);
    expect(await effects()).toEqual(route.effect);
  });

  test('case 11: flushed between two attempts, the second replays from Postgres', async () => {
    const { send, other, effects, person } = await world.scene(route);
    const first = await send();
    await forgetRedis();
    expect(kindOf(await send({ ask: other }))).toBe('422 idempotency_key_reused');
    for (const from of [person, at(replica, person), at(withoutRedis, person)]) {
      await forgetRedis();
      const again = await send({ from });
      expect([again.status, kindOf(again), again.text]).toEqual([
        route.status,
        'replayed',
        first.text,
      ]);
    }
    expect(await effects()).toEqual(route.effect);
  });

  test('case 11: flushed while the first runs, a second attempt has no second effect', async () => {
    const { send, effects, person } = await world.scene(route);
    const { running } = await world.holdingCommits(async (waiters) => {
      const first = send();
      await waiters(1);
      await forgetRedis();
      // Orders of one gateway share commits; at another the two meet in Postgres.
      const second = send({ from: at(replica, person) });
      await waiters(2);
      return { running: [first, second] };
    });
    const answers = await Promise.all(running);
    expect(answers.map(kindOf).sort()).toEqual(['ran', 'replayed']);
    expectOneRun(answers);
    expect(await effects()).toEqual(route.effect);
    expect((await send()).text).toBe(answers[0]?.text);
  });

  test('case 3 and 11: without Redis, of 20 at once one runs and the others replay', async () => {
    const { send, other, effects, person } = await world.scene(route);
    const from = at(withoutRedis, person);
    const answers = await Promise.all(Array.from({ length: AT_ONCE }, () => send({ from })));
    expectOneRun(answers);
    expect(answers.filter((answer) => kindOf(answer) === 'replayed')).toHaveLength(AT_ONCE - 1);
    expect(await effects()).toEqual(route.effect);
    expect(kindOf(await send({ ask: other, from }))).toBe('422 idempotency_key_reused');
    // A gateway that has Redis, which has never heard of the key.
    expect(kindOf(await send())).toBe('replayed');
  });

  test('case 4 and 11: a misuse of a key that Redis forgot does not hide its answer', async () => {
    const { send, other, person } = await world.scene(route);
    const first = await send();
    await forgetRedis();
    const { misuse, again } = await world.holdingCommits(async (waiters) => {
      const running = send({ ask: other });
      await waiters(1);
      // Redis has the claim of the other request now.
      return { misuse: running, again: await send({ from: at(replica, person) }) };
    });
    expect([kindOf(again), again.text]).toEqual(['replayed', first.text]);
    expect(kindOf(await misuse)).toBe('422 idempotency_key_reused');
  });
});
