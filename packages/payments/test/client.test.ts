import { scriptedServer } from '@gatehouse/testing/scripted-server';
import { expect, test } from 'vitest';
import { createPayments } from '../src/client.ts';
import type { Payments, UndeliveredEvent } from '../src/payments.ts';
import { HANDLED_EVENT_TYPES } from '../src/read-event.ts';
import { ALWAYS, failureOf, newPayment, paymentsOf, stripeWithClient } from './parts.ts';

async function made() {
  const { stripe, payments } = await stripeWithClient();
  const payment = newPayment();
  const { paymentIntentId: id } = await payments.create(payment, ALWAYS);
  const read = async () => (await payments.read({ type: 'payment_intent', id }, ALWAYS))?.facts;
  return { stripe, payments, payment, id, read };
}

async function all(payments: Payments, since: number): Promise<UndeliveredEvent[]> {
  const events = [];
  for await (const event of payments.undeliveredEvents({ since }, ALWAYS)) events.push(event);
  return events;
}

test('there is no client without a key', () => {
  const settings = { STRIPE_SECRET_KEY: '', STRIPE_API_URL: 'https://api.stripe.com' };
  expect(createPayments(settings)).toBeNull();
});

test('a payment is made with the deposit as its key, so that it is one however often it is asked for', async () => {
  const { stripe, payments } = await stripeWithClient();
  const payment = newPayment();
  const first = await payments.create(payment, ALWAYS);
  const second = await payments.create(payment, ALWAYS);
  const [intent, ...others] = stripe.paymentIntents();
  expect(others).toEqual([]);
  expect(intent).toMatchObject({
    amount: 2500,
    currency: 'usd',
    metadata: { deposit_id: payment.depositId, account_id: payment.accountId },
    automatic_payment_methods: { enabled: true },
  });
  expect(first).toEqual({
    paymentIntentId: intent?.id,
    depositId: payment.depositId,
    clientSecret: intent?.client_secret,
    facts: { status: 'pending' },
  });
  expect(second).toEqual(first);
  const another = await payments.create(newPayment(), ALWAYS);
  expect(another.paymentIntentId).not.toBe(first.paymentIntentId);
});

test('a payment is read with all that became of it', async () => {
  const { stripe, id, read } = await made();
  expect(await read()).toEqual({ status: 'pending' });
  stripe.fail(id);
  expect(await read()).toMatchObject({ status: 'failed' });
  stripe.pay(id);
  const paid = { status: 'succeeded', receivedAmount: 2500 };
  const nothing = { refundedAmount: 0, failedRefundAmount: 0, disputes: [] };
  expect(await read()).toEqual({ ...paid, ...nothing });
  const refund = stripe.refund(id, 300);
  stripe.refund(id, 200);
  expect(await read()).toEqual({ ...paid, ...nothing, refundedAmount: 500 });
  stripe.failRefund(refund.id);
  const refunds = { refundedAmount: 500, failedRefundAmount: 300 };
  expect(await read()).toEqual({ ...paid, ...refunds, disputes: [] });
  const { id: dispute, amount } = stripe.dispute(id);
  const disputed = (status: string) => ({
    ...paid,
    ...refunds,
    disputes: [{ id: dispute, amount, status }],
  });
  expect(await read()).toEqual(disputed('open'));
  stripe.closeDispute(dispute, 'won');
  expect(await read()).toEqual(disputed('won'));
});

test('a payment that is canceled is', async () => {
  const { stripe, id, read } = await made();
  stripe.cancel(id);
  expect(await read()).toEqual({ status: 'canceled' });
});

test('a payment in another currency is not taken for one of ours', async () => {
  const { payments } = await stripeWithClient();
  const call = payments.create(newPayment({ currency: 'eur' }), ALWAYS);
  expect((await failureOf(call)).name).toBe('PaymentsRefused');
});

test('a payment that succeeded with nothing received is none', async () => {
  const body = {
    ...{ id: 'pi_1', client_secret: 'pi_1_secret', currency: 'usd', metadata: {} },
    ...{ status: 'succeeded', amount: 2500, amount_received: 0, latest_charge: null },
  };
  const { url } = await scriptedServer({ status: 200, body: JSON.stringify(body) });
  const call = paymentsOf(url).read({ type: 'payment_intent', id: 'pi_1' }, ALWAYS);
  const { name, message } = await failureOf(call);
  expect([name, message]).toEqual([
    'PaymentUnreadable',
    'pi_1 succeeded, and says that nothing was received',
  ]);
});

test('more refunds than a page holds add up', async () => {
  const { stripe, id, read } = await made();
  stripe.pay(id);
  for (let count = 0; count < 120; count += 1) stripe.refund(id, 2);
  expect(await read()).toMatchObject({ refundedAmount: 240 });
});

test('a payment is found by whatever belongs to it', async () => {
  const { stripe, payments, payment, id } = await made();
  const { latest_charge } = stripe.pay(id);
  const refund = stripe.refund(id, 100);
  const dispute = stripe.dispute(id);
  for (const object of [
    { type: 'charge', id: latest_charge ?? '' },
    { type: 'refund', id: refund.id },
    { type: 'dispute', id: dispute.id },
  ] as const) {
    expect(await payments.read(object, ALWAYS)).toMatchObject({
      paymentIntentId: id,
      depositId: payment.depositId,
      facts: { refundedAmount: 100 },
    });
  }
});

test.each(['payment_intent', 'charge', 'refund', 'dispute'] as const)(
  'a %s that Stripe does not know is null',
  async (type) => {
    const { payments } = await stripeWithClient();
    expect(await payments.read({ type, id: 'xx_1' }, ALWAYS)).toBeNull();
  },
);

test('undelivered events are listed over all pages, newest first, and delivered ones are not', async () => {
  const { stripe, payments } = await stripeWithClient();
  await payments.create(newPayment(), ALWAYS);
  expect(await all(payments, 0)).toEqual([]);
  stripe.sendTo({ url: 'http://127.0.0.1:1', secret: 'whsec_a' });
  stripe.plan('all', 'held');
  for (let count = 0; count < 105; count += 1) await payments.create(newPayment(), ALWAYS);
  const owed = stripe.events().filter(({ pending_webhooks }) => pending_webhooks > 0);
  const found = await all(payments, 0);
  expect(found.map(({ id }) => id)).toEqual(owed.map(({ id }) => id).reverse());
  expect(found).toHaveLength(105);
  const [newest] = found;
  expect(JSON.parse(newest?.payload ?? '')).toEqual(owed.at(-1));
  expect(newest).toMatchObject({ type: 'payment_intent.created', livemode: false });
  const { created = 0 } = newest ?? {};
  expect(await all(payments, created + 1)).toEqual([]);
});

test('undelivered events are asked for by time, and only those that are handled', async () => {
  const body = { object: 'list', url: '/v1/events', has_more: false, data: [] };
  const server = await scriptedServer({
    status: 200,
    headers: { 'content-type': 'application/json' },
    body,
  });
  const time = { since: 1_000, until: 2_000 };
  for await (const _ of paymentsOf(server.url).undeliveredEvents(time, ALWAYS)) expect.fail();
  const [request] = server.requests;
  const query = new URL(request?.path ?? '', server.url).searchParams;
  expect(query.get('delivery_success')).toBe('false');
  expect([query.get('created[gte]'), query.get('created[lt]')]).toEqual(['1000', '2000']);
  const types = [...query].filter(([key]) => key.startsWith('types')).map(([, type]) => type);
  expect(types).toEqual(HANDLED_EVENT_TYPES);
  expect(types.length).toBeLessThanOrEqual(20);
});

test('what cannot be read of one payment is told as that', async () => {
  const json = { 'content-type': 'application/json' };
  const intent = {
    id: 'pi_1',
    client_secret: 's',
    currency: 'usd',
    status: 'succeeded',
    amount_received: 1,
    latest_charge: 'ch_1',
    metadata: {},
  };
  const dispute = { id: 'dp_1', amount: 1, status: 'drawn' };
  const odd = { object: 'list', has_more: false, data: [dispute] };
  const server = await scriptedServer({ status: 200, headers: json, body: { ...intent, ...odd } });
  const limits = { failures: 2 };
  const other = paymentsOf(server.url, { limits });
  for (let call = 0; call < 5; call += 1) {
    const failure = await failureOf(other.read({ type: 'payment_intent', id: 'pi_1' }, ALWAYS));
    expect([failure.name, failure.message]).toEqual([
      'PaymentUnreadable',
      expect.stringContaining('drawn'),
    ]);
  }
});
