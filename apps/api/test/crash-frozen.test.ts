import { beforeAll, expect, test } from 'vitest';
import {
  CRASH_ROUTES,
  expectOrdersToBeOwed,
  ONE_RUN_EACH,
  type Stage,
  setStage,
} from './crash-stage.ts';
import { kindOf, lockWaiters, startWorld, type World } from './keyed-world.ts';

const ALL = CRASH_ROUTES.length;
const RAN = CRASH_ROUTES.map(() => 'ran');
const REPLAYED = CRASH_ROUTES.map(() => 'replayed');

let world: World;
beforeAll(async () => {
  world = await startWorld();
});

/** The leases of all claims run out. */
async function expire({ scenes, claimOf }: Stage): Promise<void> {
  for (const scene of scenes) await world.gateway.app.redis.del(await claimOf(scene));
}

/** What both tiers hold under the stage's keys: token, fingerprint and answer; the record. */
async function stored({ scenes, claimOf }: Stage) {
  const { app, db } = world.gateway;
  return Promise.all(
    scenes.map(async (scene) => [
      await app.redis.hgetall(await claimOf(scene)),
      await db.idempotencyRecord.findMany({ where: { key: scene.key['idempotency-key'] } }),
    ]),
  );
}

test('case 10: a gateway that outlives its lease in a transaction has no effect, and answers what there is', async () => {
  // Those that insert: what locks a row that exists is waited for, until Postgres ends the session. An endpoint locks
  // the event log.
  const routes = CRASH_ROUTES.filter(
    ({ status, route }) => status === 201 && route !== '/v1/webhook-endpoints',
  );
  const written = routes.flatMap(({ effect }) => effect).sort();
  const stage = await setStage(world, routes);
  const { db } = world.gateway;
  const late = await db.$transaction(async (tx) => {
    // Before the effect: what holds the key's record would be waited for as well.
    await tx.$executeRaw`LOCK TABLE "order", task, api_key IN EXCLUSIVE MODE`;
    const sent = stage.sendAll();
    await lockWaiters(db, routes.length);
    stage.victim.child.kill('SIGSTOP');
    return { sent };
  });
  await expire(stage);
  const successors = await Promise.all(stage.scenes.map(({ send }) => send()));
  // The statement of an order commits without its gateway, which cannot tell anybody.
  expect(successors.map(kindOf)).toEqual(['replayed', 'ran', 'ran']);
  const before = await stored(stage);
  expect(await stage.effects()).toEqual(written);

  stage.victim.child.kill('SIGCONT');
  const answers = await Promise.all(late.sent);
  expect(answers.map(kindOf)).toEqual(['ran', 'replayed', 'replayed']);
  expect(answers.map(({ text }) => text)).toEqual(successors.map(({ text }) => text));
  // What it tells Redis afterwards comes before this, on the same connection.
  const again = await Promise.all(stage.sendAll());
  expect(again.map(kindOf)).toEqual(routes.map(() => 'replayed'));
  expect(await stored(stage)).toEqual(before);
  expect(await stage.effects()).toEqual(written);
  await expectOrdersToBeOwed(world);
});

test('case 10: a late attempt that fails does not free the key of its successor, running or done', async () => {
  const stage = await setStage(world);
  // Nothing reaches Postgres: all of them fail, late.
  const begun = stage.postgres.lose('request', /INSERT INTO "order"|BEGIN/, ALL);
  const sent = stage.sendAll();
  await begun;
  await expire(stage);
  const running = await world.holdingCommits(async (waiters) => {
    const successors = stage.scenes.map(({ send }) => send());
    await waiters(ALL);
    const before = await stored(stage);
    stage.postgres.breakOff();
    const late = await Promise.all(sent);
    expect(late.map(kindOf)).toEqual(late.map(() => '503 service_unavailable'));
    expect(await stored(stage)).toEqual(before);
    const third = await Promise.all(stage.sendAll());
    expect(third.map(kindOf)).toEqual(third.map(() => '409 idempotency_key_in_use'));
    return { successors };
  });
  const answers = await Promise.all(running.successors);
  expect(answers.map(kindOf)).toEqual(RAN);
  const again = await Promise.all(stage.sendAll());
  expect(again.map(kindOf)).toEqual(REPLAYED);
  expect(again.map(({ text }) => text)).toEqual(answers.map(({ text }) => text));
  expect(await stage.effects()).toEqual(ONE_RUN_EACH);
});
