import { expect, test } from 'vitest';
import { connect, start } from './stripe-setup.ts';

const PAYMENT = { amount: 2_000, currency: 'usd' };
const KEY = { idempotencyKey: 'deposit-1' };

test('replays the first answer to the same key and body, as it was', async () => {
  const { stripe, fake } = await start();
  const first = await stripe.paymentIntents.create(PAYMENT, KEY);
  fake.pay(first.id);
  const second = await stripe.paymentIntents.create(PAYMENT, KEY);
  expect(second).toEqual(first);
  expect(first.lastResponse.headers['idempotent-replayed']).toBeUndefined();
  expect(second.lastResponse.headers).toMatchObject({
    'idempotent-replayed': 'true',
    'original-request': first.lastResponse.requestId,
  });
  expect(second.lastResponse.requestId).not.toBe(first.lastResponse.requestId);
  const other = await stripe.paymentIntents.create(PAYMENT, { idempotencyKey: 'deposit-2' });
  expect(other.id).not.toBe(first.id);
  expect(fake.paymentIntents()).toHaveLength(2);
  expect(fake.events()[0]?.request.idempotency_key).toBe('deposit-1');
});

test('refuses a key with another body, or at another endpoint', async () => {
  const { stripe, fake } = await start();
  const { id } = await stripe.paymentIntents.create(PAYMENT, KEY);
  const misuse = { type: 'StripeIdempotencyError', statusCode: 400, rawType: 'idempotency_error' };
  await expect(
    stripe.paymentIntents.create({ ...PAYMENT, amount: 2_001 }, KEY),
  ).rejects.toMatchObject(misuse);
  const { id: other } = await stripe.paymentIntents.create(PAYMENT);
  const cancel = { idempotencyKey: 'cancel-1' };
  await stripe.paymentIntents.cancel(other, {}, cancel);
  await expect(stripe.paymentIntents.cancel(id, {}, cancel)).rejects.toMatchObject(misuse);
  expect(fake.paymentIntents()).toMatchObject([
    { id, amount: 2_000, status: 'requires_payment_method' },
    { id: other, status: 'canceled' },
  ]);
});

test('keeps no refusal: the key can be used again', async () => {
  const { stripe } = await start();
  const wrong = stripe.paymentIntents.create({ ...PAYMENT, amount: 1 }, KEY);
  await expect(wrong).rejects.toMatchObject({ code: 'amount_too_small' });
  expect(await stripe.paymentIntents.create(PAYMENT, KEY)).toMatchObject({ amount: 2_000 });
});

test('twenty at once make one, and those that come while it is made are told to wait', async () => {
  const { stripe, fake } = await start();
  fake.fault('POST /v1/payment_intents', { delayMs: 3_000 });
  const tries = await Promise.allSettled(
    Array.from({ length: 20 }, () => stripe.paymentIntents.create(PAYMENT, KEY)),
  );
  const refused = tries.flatMap((one) => (one.status === 'rejected' ? [one.reason] : []));
  expect(refused).toHaveLength(19);
  for (const reason of refused) {
    expect(reason).toMatchObject({ statusCode: 409, code: 'idempotency_key_in_use' });
  }
  expect(fake.paymentIntents()).toHaveLength(1);
});

test('twenty at once that try again all end with the same one', async () => {
  const { fake } = await start();
  const patient = connect(fake, { maxNetworkRetries: 5 });
  fake.fault('POST /v1/payment_intents', { delayMs: 300 });
  const all = await Promise.all(
    Array.from({ length: 20 }, () => patient.paymentIntents.create(PAYMENT, KEY)),
  );
  expect(new Set(all.map(({ id }) => id))).toEqual(new Set([fake.paymentIntents()[0]?.id]));
  expect(fake.paymentIntents()).toHaveLength(1);
  expect(fake.requests()).toBeGreaterThan(20);
});
