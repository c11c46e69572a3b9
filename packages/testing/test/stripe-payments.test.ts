import { expect, test } from 'vitest';
import { connect, made, start } from './stripe-setup.ts';

test('makes a PaymentIntent of what it is sent, and gives it back', async () => {
  const { stripe, fake } = await start();
  const created = await stripe.paymentIntents.create({
    amount: 1_234,
    currency: 'EUR',
    metadata: { deposit: 'd_1', 'odd name & value': 'ä=1&b[c]=2' },
    automatic_payment_methods: { enabled: true },
  });
  expect(created).toMatchObject({
    amount: 1_234,
    amount_received: 0,
    currency: 'eur',
    metadata: { deposit: 'd_1', 'odd name & value': 'ä=1&b[c]=2' },
    status: 'requires_payment_method',
    latest_charge: null,
    livemode: false,
  });
  expect(created.client_secret).toMatch(new RegExp(`^${created.id}_secret_`));
  expect(created.lastResponse.requestId).toMatch(/^req_/);
  expect(await stripe.paymentIntents.retrieve(created.id)).toEqual(created);
  const [event] = fake.events();
  expect(event).toMatchObject({ type: 'payment_intent.created', data: { object: created } });
  expect(event?.request.id).toBe(created.lastResponse.requestId);
});

test('says what is wrong as Stripe does', async () => {
  const { stripe, fake, create } = await start();
  const usd = { currency: 'usd' };
  const wrong = { type: 'StripeInvalidRequestError', statusCode: 400 };
  await expect(stripe.paymentIntents.create({ amount: 49, ...usd })).rejects.toMatchObject({
    ...wrong,
    code: 'amount_too_small',
    param: 'amount',
  });
  await expect(stripe.paymentIntents.create({ amount: 99.5, ...usd })).rejects.toMatchObject({
    ...wrong,
    code: 'parameter_invalid_integer',
  });
  await expect(
    stripe.paymentIntents.create({ amount: 100, ...usd, customer: 'cus_1' }),
  ).rejects.toMatchObject({ ...wrong, code: 'parameter_unknown', param: 'customer' });
  const none = { type: 'StripeInvalidRequestError', statusCode: 404, code: 'resource_missing' };
  await expect(stripe.paymentIntents.retrieve('pi_none')).rejects.toMatchObject(none);
  await expect(stripe.charges.retrieve('ch_none')).rejects.toMatchObject(none);
  const { id } = await create();
  await expect(stripe.charges.retrieve(id)).rejects.toMatchObject(none);
  expect(made(fake)).toEqual(['payment_intent.created']);
});

test('lets nobody in without its key', async () => {
  const { fake } = await start({ apiKey: 'sk_test_right' });
  const stranger = connect({ ...fake, apiKey: 'sk_test_wrong' });
  await expect(
    stranger.paymentIntents.create({ amount: 2_000, currency: 'usd' }),
  ).rejects.toMatchObject({ type: 'StripeAuthenticationError', statusCode: 401 });
  expect((await fetch(`${fake.url}/v1/payment_intents`)).status).toBe(401);
  expect(fake.paymentIntents()).toEqual([]);
});

test('a payment makes a charge with the metadata, and an event with each as it was then', async () => {
  const { stripe, fake, create } = await start();
  const { id } = await create(5_000, { deposit: 'd_7' });
  fake.fail(id);
  expect(await stripe.paymentIntents.retrieve(id)).toMatchObject({
    status: 'requires_payment_method',
    amount_received: 0,
    last_payment_error: { code: 'card_declined' },
  });
  fake.pay(id);
  const intent = await stripe.paymentIntents.retrieve(id, { expand: ['latest_charge'] });
  expect(intent).toMatchObject({
    status: 'succeeded',
    amount_received: 5_000,
    last_payment_error: null,
    latest_charge: { object: 'charge', paid: true, payment_intent: id, amount_refunded: 0 },
  });
  const { latest_charge: chargeId } = await stripe.paymentIntents.retrieve(id);
  expect(chargeId).toMatch(/^ch_/);
  expect(await stripe.charges.retrieve(String(chargeId))).toMatchObject({
    metadata: { deposit: 'd_7' },
  });
  expect(made(fake)).toEqual([
    'payment_intent.created',
    'charge.failed',
    'payment_intent.payment_failed',
    'charge.succeeded',
    'payment_intent.succeeded',
  ]);
  const statuses = fake.events().map(({ data }) => Object(data.object).status);
  const open = 'requires_payment_method';
  expect(statuses).toEqual([open, 'failed', open, 'succeeded', 'succeeded']);
  expect(() => fake.pay(id)).toThrow('status of succeeded');
  await expect(stripe.paymentIntents.cancel(id)).rejects.toMatchObject({
    code: 'payment_intent_unexpected_state',
    payment_intent: { id, status: 'succeeded' },
  });
});

test('cancels once, and for good', async () => {
  const { stripe, fake, create } = await start();
  const { id } = await create();
  const canceled = await stripe.paymentIntents.cancel(id, { cancellation_reason: 'abandoned' });
  expect(canceled).toMatchObject({ id, status: 'canceled', cancellation_reason: 'abandoned' });
  expect(canceled.canceled_at).toBeGreaterThanOrEqual(canceled.created);
  await expect(stripe.paymentIntents.cancel(id)).rejects.toMatchObject({ statusCode: 400 });
  expect(() => fake.pay(id)).toThrow('status of canceled');
  expect(made(fake)).toEqual(['payment_intent.created', 'payment_intent.canceled']);
});
