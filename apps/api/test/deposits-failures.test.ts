import type { Fault } from '@gatehouse/testing/stripe/faults';
import { expect, test } from 'vitest';
import { forgetAnswer, ONE, startDeposits, traces } from './deposit-scene.ts';
import { freshKey } from './harness.ts';
import { kindOf } from './keyed-world.ts';

const PATH = 'POST /v1/payment_intents';

test.each<[what: string, fault: Fault, times: number]>([
  ['refuses connections', 'refuse', 2],
  ['hangs', 'hang', 2],
  ['hangs after it has made the payment', 'hang after accepting', 2],
  ['breaks connections after it has made the payment', 'cut after accepting', 2],
  ['fails', { status: 500 }, 2],
  ['has too much to do', { status: 429 }, 1],
  ['does not know our key', { status: 401 }, 1],
])(
  'while Stripe %s nothing is answered, and the retry ends with one deposit',
  async (_, fault, times) => {
    const { gateway, stripe, deposit } = await startDeposits();
    stripe.fault(PATH, fault, times);
    const key = freshKey();
    const failed = await deposit({ key });
    expect(kindOf(failed)).toBe('503 payments_unavailable');
    expect(Number(failed.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(failed.text).not.toMatch(/stripe/i);
    expect(await traces(gateway.db, stripe)).toMatchObject({
      deposits: ['creating'],
      records: 0,
      jobs: 1,
      events: [],
    });
    const at = await gateway.replica();
    const retry = await deposit({ key, at });
    expect([retry.status, kindOf(retry)]).toEqual([201, 'ran']);
    expect(retry.body.clientSecret).toBe(stripe.paymentIntents()[0]?.client_secret);
    expect(await traces(gateway.db, stripe)).toEqual(ONE);
  },
);

test('a deposit that Stripe refuses is canceled, and its key replays that', async () => {
  const { gateway, stripe, ada, deposit } = await startDeposits();
  stripe.fault(PATH, { status: 400 });
  const key = freshKey();
  const first = await deposit({ key });
  expect(kindOf(first)).toBe('422 deposit_refused');
  const expected = {
    deposits: ['canceled'],
    payments: 0,
    records: 1,
    jobs: 1,
    events: ['deposit.created', 'deposit.canceled'],
  };
  expect(await traces(gateway.db, stripe)).toEqual(expected);
  const again = await deposit({ key });
  expect([again.status, kindOf(again), again.text]).toEqual([422, 'replayed', first.text]);
  const list = await ada.call('GET', '/v1/deposits');
  expect(list.body.data).toMatchObject([{ status: 'canceled', paymentIntentId: null }]);
  expect(await traces(gateway.db, stripe)).toEqual(expected);
});

test('a deposit that was canceled before its answer was stored is refused again, and Stripe not asked', async () => {
  const { gateway, stripe, deposit } = await startDeposits();
  stripe.fault(PATH, { status: 400 });
  const key = freshKey();
  await deposit({ key });
  await forgetAnswer(gateway);
  const asked = stripe.requests();
  expect(kindOf(await deposit({ key }))).toBe('422 deposit_refused');
  expect(stripe.requests()).toBe(asked);
  expect(await traces(gateway.db, stripe)).toMatchObject({ deposits: ['canceled'], payments: 0 });
});

test('a deposit that others finished meanwhile gets its client secret from Stripe', async () => {
  const { gateway, stripe, deposit } = await startDeposits();
  const key = freshKey();
  const first = await deposit({ key });
  // A webhook, or the worker, has told the rest.
  await forgetAnswer(gateway);
  stripe.fault('GET /v1/payment_intents', 'refuse', 2);
  expect(kindOf(await deposit({ key }))).toBe('503 payments_unavailable');
  const second = await deposit({ key });
  expect([kindOf(second), second.body]).toEqual(['ran', first.body]);
  expect(await traces(gateway.db, stripe)).toEqual(ONE);
});
