import { until } from '@gatehouse/testing/condition';
import { expect, onTestFinished, test } from 'vitest';
import { type DepositScene, type Key, ONE, startDeposits, traces } from './deposit-scene.ts';
import { type GatewayProcess, spawnGateway } from './gateway-process.ts';
import { freshKey, type Reply } from './harness.ts';
import { kindOf } from './keyed-world.ts';
import { startTrapProxy, type TrapProxy } from './trap-proxy.ts';

interface Crash extends DepositScene {
  key: Key;
  victim: GatewayProcess;
  postgres: TrapProxy;
  api: TrapProxy;
  /** Sent to the gateway that is to die. */
  send(): Promise<Reply>;
}

async function setStage(): Promise<Crash> {
  const scene = await startDeposits();
  const { config } = scene.gateway;
  const postgres = await startTrapProxy(config.DATABASE_URL);
  onTestFinished(postgres.close);
  const api = await startTrapProxy(config.STRIPE_API_URL);
  onTestFinished(api.close);
  const urls = { DATABASE_URL: postgres.url, STRIPE_API_URL: api.url };
  const victim = await spawnGateway(config, urls);
  onTestFinished(victim.kill);
  const key = freshKey();
  return { ...scene, key, victim, postgres, api, send: () => scene.deposit({ key, at: victim }) };
}

/** Kills the gateway that has the request, as soon as `reached`. */
async function killAt({ victim }: Crash, sent: Promise<Reply>, reached: Promise<unknown>) {
  const lost = expect(sent).rejects.toThrow();
  await reached;
  await victim.kill();
  await lost;
}

/** The retry at another gateway, once the claim of the dead one is over, ends with one deposit and one payment. */
async function expectOne({ gateway, stripe, deposit, key }: Crash, kind: 'ran' | 'replayed') {
  const early = await deposit({ key });
  if (kind === 'ran') {
    expect(kindOf(early)).toBe('409 idempotency_key_in_use');
    await gateway.app.redis.flushdb();
  }
  const retry = await deposit({ key });
  expect([retry.status, kindOf(retry)]).toEqual([201, kind]);
  expect(retry.body.clientSecret).toBe(stripe.paymentIntents()[0]?.client_secret);
  expect(await traces(gateway.db, stripe)).toEqual(ONE);
  const again = await deposit({ key });
  expect([kindOf(again), again.text]).toEqual(['replayed', retry.text]);
}

const NOTHING = { deposits: [], payments: 0, records: 0, jobs: 0, events: [] };
const BEGUN = { ...NOTHING, deposits: ['creating'], jobs: 1 };

test('killed before the deposit is begun: the retry makes it', async () => {
  const crash = await setStage();
  const reached = crash.postgres.lose('request', /INSERT INTO deposit/, 1);
  await killAt(crash, crash.send(), reached);
  expect(await traces(crash.gateway.db, crash.stripe)).toEqual(NOTHING);
  await expectOne(crash, 'ran');
});

test('killed before Stripe is asked: the retry asks', async () => {
  const crash = await setStage();
  const reached = crash.api.lose('request', /payment_intents/, 1);
  await killAt(crash, crash.send(), reached);
  expect(await traces(crash.gateway.db, crash.stripe)).toEqual(BEGUN);
  await expectOne(crash, 'ran');
});

test('killed after Stripe has made the payment, before that is known: the retry gets the same one', async () => {
  const crash = await setStage();
  const { stripe, gateway } = crash;
  const reached = crash.api.lose('reply', /payment_intents/, 1);
  const made = until(async () => stripe.paymentIntents().length === 1, { what: 'the payment' });
  await killAt(crash, crash.send(), Promise.all([reached, made]));
  expect(await traces(gateway.db, stripe)).toEqual({ ...BEGUN, payments: 1 });
  await expectOne(crash, 'ran');
});

test('killed before what Stripe said is committed: the retry gets the same payment', async () => {
  const crash = await setStage();
  const { stripe, gateway } = crash;
  const reached = crash.postgres.lose('request', /recovery_point = NULL/, 1);
  await killAt(crash, crash.send(), reached);
  expect(await traces(gateway.db, stripe)).toEqual({ ...BEGUN, payments: 1 });
  await expectOne(crash, 'ran');
});

test('killed between its last commit and its answer: the retry replays', async () => {
  const crash = await setStage();
  const { stripe, gateway } = crash;
  stripe.fault('/v1/payment_intents', { delayMs: 2_000 });
  const sent = crash.send();
  const lost = expect(sent).rejects.toThrow();
  // Past its first commit.
  await until(async () => stripe.requests() === 1, { what: 'Stripe to be asked' });
  await crash.postgres.lose('reply', /COMMIT/, 1);
  await until(async () => (await traces(gateway.db, stripe)).records === 1, {
    what: 'the second one',
  });
  await crash.victim.kill();
  await lost;
  expect(await traces(gateway.db, stripe)).toEqual(ONE);
  await expectOne(crash, 'replayed');
});
