import { expect, test } from 'vitest';
import { connect, start } from './stripe-setup.ts';

const PAYMENT = { amount: 2_000, currency: 'usd' };
const CREATE = 'POST /v1/payment_intents';

test('fails as often as it is told to, where it is told to, and does nothing meanwhile', async () => {
  const { stripe, fake, create } = await start();
  fake.fault(CREATE, { status: 500 }, 2);
  fake.fault('/v1/charges', { status: 429 });
  const failure = { type: 'StripeAPIError', statusCode: 500 };
  await expect(create()).rejects.toMatchObject(failure);
  expect((await stripe.paymentIntents.list()).data).toEqual([]);
  await expect(create()).rejects.toMatchObject(failure);
  expect(fake.paymentIntents()).toEqual([]);
  const { id } = await create();
  const { latest_charge: charge } = fake.pay(id);
  await expect(stripe.charges.retrieve(charge ?? '')).rejects.toMatchObject({
    type: 'StripeRateLimitError',
  });
  expect(await stripe.charges.retrieve(charge ?? '')).toMatchObject({ id: charge });
});

test('hangs until the client gives up, before or after it has done what was asked', async () => {
  const { fake } = await start();
  const hurried = connect(fake, { timeout: 150 });
  const timeOut = { type: 'StripeConnectionError', message: expect.stringContaining('150ms') };
  fake.fault(CREATE, 'hang');
  await expect(hurried.paymentIntents.create(PAYMENT)).rejects.toMatchObject(timeOut);
  expect(fake.paymentIntents()).toEqual([]);
  fake.fault(CREATE, 'hang after accepting');
  const key = { idempotencyKey: 'deposit-1' };
  await expect(hurried.paymentIntents.create(PAYMENT, key)).rejects.toMatchObject(timeOut);
  expect(fake.paymentIntents()).toHaveLength(1);
  const again = await hurried.paymentIntents.create(PAYMENT, key);
  expect(again.id).toBe(fake.paymentIntents()[0]?.id);
  expect(again.lastResponse.headers['idempotent-replayed']).toBe('true');
});

test('refuses and does nothing, or cuts the connection when it is done', async () => {
  const { fake, create } = await start();
  // The library tries once more after a closed connection, even when it is told to retry nothing.
  fake.fault(CREATE, 'refuse', 2);
  await expect(create()).rejects.toMatchObject({ type: 'StripeConnectionError' });
  expect([fake.requests(), fake.paymentIntents().length]).toEqual([2, 0]);
  fake.fault(CREATE, 'cut after accepting');
  const created = await create();
  expect(created.lastResponse.headers['idempotent-replayed']).toBe('true');
  expect(fake.paymentIntents()).toMatchObject([{ id: created.id }]);
  fake.fault(CREATE, 'cut after accepting', 2);
  await expect(create()).rejects.toMatchObject({ type: 'StripeConnectionError' });
  expect(fake.paymentIntents()).toHaveLength(2);
});

test('answers late, and heals', async () => {
  const { stripe, fake, create } = await start();
  fake.fault('/v1/events', { delayMs: 200 });
  const startedAt = Date.now();
  await stripe.events.list();
  expect(Date.now() - startedAt).toBeGreaterThanOrEqual(195);
  fake.fault('/v1', { status: 503 }, Number.POSITIVE_INFINITY);
  for (let count = 0; count < 3; count += 1) {
    await expect(create()).rejects.toMatchObject({ statusCode: 503 });
  }
  fake.heal();
  expect(await create()).toMatchObject({ object: 'payment_intent' });
});
