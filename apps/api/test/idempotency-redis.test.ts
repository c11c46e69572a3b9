import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { until } from '@gatehouse/testing/condition';
import { startTestRedis } from '@gatehouse/testing/redis';
import { beforeAll, expect, onTestFinished, test } from 'vitest';
import { CRASH_ROUTES, expectOrdersToBeOwed, ONE_RUN_EACH } from './crash-stage.ts';
import { afterFile, type Gateway } from './harness.ts';
import { kindOf, type Scene, startWorld, type World } from './keyed-world.ts';
import { startTrapProxy, type TrapProxy } from './trap-proxy.ts';

const ALL = CRASH_ROUTES.length;
const RAN = CRASH_ROUTES.map(() => 'ran');
const REPLAYED = CRASH_ROUTES.map(() => 'replayed');

const CLAIM = /gatehouse:idempotency:/;

/** Of a server of its own, that can be frozen without freezing others' tests. */
let world: World;
let redisPid: number;

beforeAll(async () => {
  const dir = mkdtempSync(join(tmpdir(), 'gatehouse-redis-'));
  const server = await startTestRedis(dir);
  afterFile(async () => {
    await server.stop();
    rmSync(dir, { recursive: true });
  });
  redisPid = server.pid;
  world = await startWorld({ REDIS_URL: server.url });
});

async function makeScenes(): Promise<{ scenes: Scene[]; effects(): Promise<string[]> }> {
  const scenes: Scene[] = [];
  for (const route of CRASH_ROUTES) scenes.push(await world.scene(route));
  return { scenes, effects: async () => (await scenes.at(-1)?.effects()) ?? [] };
}

const sendAll = (scenes: readonly Scene[], to: Gateway = world.gateway) =>
  Promise.all(scenes.map(({ send, person }) => send({ from: { ...person, call: person.at(to) } })));

/** A gateway whose way to Redis leads through a trap, and that has used it. */
async function behindTrap(): Promise<{ gateway: Gateway; redis: TrapProxy }> {
  const redis = await startTrapProxy(world.gateway.redisUrl);
  onTestFinished(redis.close);
  const gateway = await world.gateway.replica({ REDIS_URL: redis.url });
  return { gateway, redis };
}

test('case 10: an attempt whose claim got no reply runs, and is not in the way of its retry', async () => {
  const { gateway, redis } = await behindTrap();
  const { scenes, effects } = await makeScenes();
  const sprung = redis.lose('reply', CLAIM, ALL);
  const first = await sendAll(scenes, gateway);
  await sprung;
  expect(first.map(kindOf)).toEqual(RAN);
  // Another gateway, to which Redis says at best that the key is taken.
  const again = await sendAll(scenes);
  expect(again.map(kindOf)).toEqual(REPLAYED);
  expect(again.map(({ text }) => text)).toEqual(first.map(({ text }) => text));
  expect(await effects()).toEqual(ONE_RUN_EACH);
});

test('case 10: a claim whose reply breaks off with its connection does not meet itself', async () => {
  const { gateway, redis } = await behindTrap();
  const { scenes, effects } = await makeScenes();
  const sprung = redis.lose('reply', CLAIM, ALL);
  const sent = sendAll(scenes, gateway);
  await sprung;
  await until(
    async () => (await world.gateway.app.redis.keys('gatehouse:idempotency:*')).length > 0,
    { what: 'the claims to be made' },
  );
  redis.breakOff();
  const first = await sent;
  expect(first.map(kindOf)).toEqual(RAN);
  expect((await sendAll(scenes)).map(kindOf)).toEqual(REPLAYED);
  expect(await effects()).toEqual(ONE_RUN_EACH);
});

test('case 8 and 10: an attempt that fails frees the key, also when its claim got no reply', async () => {
  const { gateway, redis } = await behindTrap();
  const { scenes, effects } = await makeScenes();
  const { db } = world.gateway;
  await db.$executeRaw`
    ALTER TABLE idempotency_record ADD CONSTRAINT refused CHECK (created_at IS NULL) NOT VALID`;
  const sprung = redis.lose('reply', CLAIM, ALL);
  const failed = await sendAll(scenes, gateway);
  await sprung;
  await db.$executeRaw`ALTER TABLE idempotency_record DROP CONSTRAINT refused`;
  expect(failed.map(kindOf)).toEqual(failed.map(() => '500 internal_error'));
  expect(await effects()).toEqual([]);
  // Whatever it could not say before: long before the lease runs out.
  redis.breakOff();
  const retries = await Promise.all(
    scenes.map(({ send }) =>
      until(
        async () => {
          const answer = await send();
          return kindOf(answer) !== '409 idempotency_key_in_use' && answer;
        },
        { what: 'the key to be free' },
      ),
    ),
  );
  expect(retries.map(kindOf)).toEqual(RAN);
  expect(await effects()).toEqual(ONE_RUN_EACH);
});

test('case 11: frozen before and during requests, Redis costs time and nothing else', async () => {
  const [before, during] = [await makeScenes(), await makeScenes()];
  onTestFinished(() => {
    process.kill(redisPid, 'SIGCONT');
  });
  const { running } = await world.holdingCommits(async (waiters) => {
    const claimed = sendAll(before.scenes);
    await waiters(ALL);
    process.kill(redisPid, 'SIGSTOP');
    return { running: claimed };
  });
  const first = await running;
  expect(first.map(kindOf)).toEqual(RAN);
  const [again, anew] = await Promise.all([sendAll(before.scenes), sendAll(during.scenes)]);
  expect(again.map(kindOf)).toEqual(REPLAYED);
  expect(again.map(({ text }) => text)).toEqual(first.map(({ text }) => text));
  expect(anew.map(kindOf)).toEqual(RAN);

  process.kill(redisPid, 'SIGCONT');
  const last = await sendAll(during.scenes);
  expect(last.map(kindOf)).toEqual(REPLAYED);
  expect(last.map(({ text }) => text)).toEqual(anew.map(({ text }) => text));
  const changes = CRASH_ROUTES.filter(({ isState }) => !isState);
  const second = changes.flatMap(({ effect }) => effect);
  expect(await during.effects()).toEqual([...ONE_RUN_EACH, ...second].sort());
  await expectOrdersToBeOwed(world);
});
