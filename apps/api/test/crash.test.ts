import { until } from '@gatehouse/testing/condition';
import { beforeAll, expect, onTestFinished, test } from 'vitest';
import {
  CRASH_ROUTES,
  expectDeadClaims,
  expectNoAnswers,
  expectOrdersToBeOwed,
  ONE_RUN_EACH,
  type Stage,
  setStage,
} from './crash-stage.ts';
import { call } from './harness.ts';
import { kindOf, startWorld, type World } from './keyed-world.ts';
import { startTrapProxy } from './trap-proxy.ts';

const ALL = CRASH_ROUTES.length;
const RAN = CRASH_ROUTES.map(() => 'ran');
const REPLAYED = CRASH_ROUTES.map(() => 'replayed');

const CLAIM = /gatehouse:idempotency:/;
/** An answer on its way to Redis. */
const PUBLISH = /"status":20\d/;
/** What commits: the statement of a group of orders, or the end of a transaction. */
const COMMIT = /INSERT INTO "order"|COMMIT/;

/** Has the other gateway, on the same Postgres and Redis. */
let world: World;
beforeAll(async () => {
  world = await startWorld();
});

/** In the end everything was done once, and every attempt gets the same answer, from both tiers. */
async function expectOnce({ scenes, effects }: Stage, answers: readonly { text: string }[]) {
  const texts = answers.map(({ text }) => text);
  for (const forget of [() => undefined, () => world.gateway.app.redis.flushdb()]) {
    await forget();
    const again = await Promise.all(scenes.map(({ send }) => send()));
    expect(again.map(kindOf)).toEqual(REPLAYED);
    expect(again.map(({ text }) => text)).toEqual(texts);
  }
  expect(await effects()).toEqual(ONE_RUN_EACH);
  await expectOrdersToBeOwed(world);
}

test('case 9: killed before it claimed the key: the retry runs', async () => {
  const stage = await setStage(world);
  const sprung = stage.redis.lose('request', CLAIM, ALL);
  const lost = expectNoAnswers(stage.sendAll());
  await sprung;
  await stage.victim.kill();
  await lost;
  expect(await stage.effects()).toEqual([]);
  const retries = await Promise.all(stage.scenes.map(({ send }) => send()));
  expect(retries.map(kindOf)).toEqual(RAN);
  await expectOnce(stage, retries);
});

test.each(['at once', 'when they can go on'])(
  'case 9: killed after its claim, before its commit: the retry runs (Postgres notices %s)',
  async (noticed) => {
    const stage = await setStage(world);
    const retries = await world.holdingCommits(async (waiters) => {
      const lost = expectNoAnswers(stage.sendAll());
      await waiters(ALL);
      await stage.victim.kill();
      await lost;
      await expectDeadClaims(stage, world);
      const early = await Promise.all(stage.scenes.map(({ send }) => send()));
      expect(early.map(kindOf)).toEqual(early.map(() => '409 idempotency_key_in_use'));

      // Until here nobody has committed anything. The leases run out.
      if (noticed === 'at once') {
        await world.gateway.db.$executeRaw`
          SELECT pg_terminate_backend(pid) FROM pg_stat_activity
          WHERE datname = current_database() AND wait_event_type = 'Lock'`;
        await waiters(0);
      }
      for (const scene of stage.scenes) {
        await world.gateway.app.redis.del(await stage.claimOf(scene));
      }
      const sent = stage.scenes.map(({ send }) => send());
      await waiters(noticed === 'at once' ? ALL : 2 * ALL);
      return { sent };
    });
    const answers = await Promise.all(retries.sent);
    // A statement that is a transaction of its own, as the orders', commits without its client.
    const kinds = answers.map(kindOf);
    if (noticed === 'at once') expect(kinds).toEqual(RAN);
    else expect(kinds.slice(1)).toEqual(RAN.slice(1));
    expect(answers.map(({ status }) => status)).toEqual(CRASH_ROUTES.map(({ status }) => status));
    await expectOnce(stage, answers);
  },
);

test('case 9: killed after it answered, before Redis heard of it: the retry replays', async () => {
  const stage = await setStage(world);
  const sprung = stage.redis.lose('request', PUBLISH, ALL);
  const answers = await Promise.all(stage.sendAll());
  expect(answers.map(kindOf)).toEqual(RAN);
  await sprung;
  await stage.victim.kill();
  await expectDeadClaims(stage, world);
  // Redis only knows that the keys are taken; Postgres is asked before their leases run out.
  const retries = await Promise.all(stage.scenes.map(({ send }) => send()));
  expect(retries.map(kindOf)).toEqual(REPLAYED);
  expect(retries.map(({ text }) => text)).toEqual(answers.map(({ text }) => text));
  await expectDeadClaims(stage, world);
  for (const scene of stage.scenes) {
    await world.gateway.app.redis.del(await stage.claimOf(scene));
  }
  await expectOnce(stage, answers);
});

test('case 9: a commit whose reply is lost with its connection: 503, and the retry replays', async () => {
  const stage = await setStage(world);
  const committing = stage.postgres.lose('reply', COMMIT, ALL);
  const sent = stage.sendAll();
  await committing;
  await until(async () => (await stage.effects()).length === ONE_RUN_EACH.length, {
    what: 'everything to be committed',
  });
  stage.postgres.breakOff();
  for (const answer of await Promise.all(sent)) {
    expect(kindOf(answer)).toBe('503 service_unavailable');
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
  }
  // It has released its claims: nothing is in the way of its own client.
  const retries = await Promise.all(stage.sendAll());
  expect(retries.map(kindOf)).toEqual(REPLAYED);
  await expectOnce(stage, retries);
});

test('case 9: killed between its commit and its answer: the retry replays', async () => {
  const stage = await setStage(world);
  const committing = stage.postgres.lose('reply', COMMIT, ALL);
  const lost = expectNoAnswers(stage.sendAll());
  await committing;
  await until(async () => (await stage.effects()).length === ONE_RUN_EACH.length, {
    what: 'everything to be committed',
  });
  await stage.victim.kill();
  await lost;
  await expectDeadClaims(stage, world);
  const retries = await Promise.all(stage.scenes.map(({ send }) => send()));
  expect(retries.map(kindOf)).toEqual(REPLAYED);
  await expectOnce(stage, retries);
});

test('case 9: killed after an answer that never arrived: the retry replays at once', async () => {
  const stage = await setStage(world);
  const front = await startTrapProxy(stage.victim.url);
  onTestFinished(front.close);
  const received = front.lose('reply', /(POST|PATCH) \/v1\//, ALL);
  const lost = expectNoAnswers(
    stage.sendAll({
      call: (method, path, options = {}) => call(front.url + path, method, options),
    }),
  );
  await received;
  await until(
    async () => {
      const { redis } = world.gateway.app;
      const claims = await Promise.all(stage.scenes.map(stage.claimOf));
      const known = await Promise.all(claims.map((claim) => redis.hexists(claim, 'a')));
      return known.every((one) => one === 1);
    },
    { what: 'all of them to be answered' },
  );
  await stage.victim.kill();
  front.breakOff();
  await lost;
  const retries = await Promise.all(stage.scenes.map(({ send }) => send()));
  expect(retries.map(kindOf)).toEqual(REPLAYED);
  await expectOnce(stage, retries);
});
