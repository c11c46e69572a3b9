import { inspect } from 'node:util';
import { closedUrl, type Script, scriptedServer } from '@gatehouse/testing/scripted-server';
import { expect, test } from 'vitest';
import { PaymentsRefused, PaymentsUnavailable } from '../src/payments.ts';
import {
  ALWAYS,
  failureOf,
  IMPATIENT,
  newPayment,
  PATIENT,
  paymentsOf,
  stripeWithClient,
} from './parts.ts';

const json = { 'content-type': 'application/json' };
const error = (
  status: number,
  more: object = {},
  headers: Record<string, string> = {},
): Script => ({
  status,
  headers: { ...json, ...headers },
  body: { error: { type: 'invalid_request_error', message: 'Stripe says so.', ...more } },
});
const INTENT: Script = {
  status: 200,
  headers: json,
  body: {
    id: 'pi_1',
    object: 'payment_intent',
    client_secret: 'secret',
    currency: 'usd',
    status: 'requires_payment_method',
    last_payment_error: null,
    metadata: {},
  },
};
const PAYMENT = { type: 'payment_intent', id: 'pi_1' } as const;

test.each<[what: string, script: Script, requests: number]>([
  ['fails', error(500, { type: 'api_error' }), 2],
  [
    'answers 503 in HTML',
    { status: 503, headers: { 'content-type': 'text/html' }, body: '<p>' },
    2,
  ],
  ['breaks connections', 'break', 2],
  ['hangs', 'hang', 2],
  ['stops in the middle of an answer', 'stop', 1],
  ['breaks in the middle of an answer', 'cut', 1],
  ['has too much to do', error(429, { code: 'rate_limit' }), 1],
  ['has no time for a lock', error(409, { code: 'lock_timeout' }), 2],
  ['does not know our key', error(401), 1],
  ['does not let our key do that', error(403), 1],
  ['has no such path', error(404), 1],
  ['speaks of a refusal in another tongue', { status: 400, headers: json, body: 'Bad Request' }, 1],
  ['answers with nothing', { status: 200, headers: json, body: '' }, 1],
  ['answers with what is no payment', { status: 200, headers: json, body: {} }, 1],
])(
  'a payment is not made, and may be asked for again, when Stripe %s',
  async (_, script, requests) => {
    const server = await scriptedServer(script);
    const limits = script === 'hang' || script === 'stop' ? IMPATIENT : PATIENT;
    const failure = await failureOf(
      paymentsOf(server.url, { limits }).create(newPayment(), ALWAYS),
    );
    expect(failure).toBeInstanceOf(PaymentsUnavailable);
    expect(failure).toMatchObject({ retryInMs: expect.any(Number), isInUse: false });
    expect(server.requests).toHaveLength(requests);
    // All tries have one key, or there would be two payments.
    const keys = server.requests.map(({ headers }) => headers['idempotency-key']);
    expect(new Set(keys).size).toBe(1);
  },
);

test('nor when nobody listens', async () => {
  const failure = await failureOf(paymentsOf(await closedUrl()).create(newPayment(), ALWAYS));
  expect(failure).toBeInstanceOf(PaymentsUnavailable);
});

test('a bad key is told as what it is, and not told', async () => {
  const server = await scriptedServer(
    error(401, { message: 'Invalid API Key provided: sk_test_a' }),
  );
  const failure = await failureOf(paymentsOf(server.url).create(newPayment(), ALWAYS));
  expect(failure.message).toContain('STRIPE_SECRET_KEY');
  expect(inspect(failure)).not.toContain('sk_test_a');
});

test('a key that is in use is told as that', async () => {
  const server = await scriptedServer(
    error(409, { code: 'idempotency_key_in_use', type: 'idempotency_error' }),
  );
  const failure = await failureOf(paymentsOf(server.url).create(newPayment(), ALWAYS));
  expect([failure.name, failure]).toMatchObject(['PaymentsUnavailable', { isInUse: true }]);
});

test('it is asked again after as long as Stripe says', async () => {
  const server = await scriptedServer(error(429, {}, { 'retry-after': '7' }));
  const failure = await failureOf(paymentsOf(server.url).create(newPayment(), ALWAYS));
  expect(failure).toMatchObject({ retryInMs: 7_000 });
});

test.each<[status: number, code: string]>([
  [400, 'amount_too_small'],
  [402, 'card_declined'],
  [422, 'anything'],
])('a payment that Stripe refuses with %i is refused for good', async (status, code) => {
  const server = await scriptedServer(error(status, { code }));
  const failure = await failureOf(paymentsOf(server.url).create(newPayment(), ALWAYS));
  expect(failure).toBeInstanceOf(PaymentsRefused);
  expect([failure, server.requests.length]).toMatchObject([{ code }, 1]);
});

test.each(['refuse', 'cut after accepting', { status: 500 }] as const)(
  'one failure (%j) is made up for by the library, with one payment',
  async (fault) => {
    const { stripe, payments } = await stripeWithClient();
    stripe.fault('/v1/payment_intents', fault);
    const { paymentIntentId } = await payments.create(newPayment(), ALWAYS);
    expect(stripe.paymentIntents().map(({ id }) => id)).toEqual([paymentIntentId]);
  },
);

test('all tries together have an end', async () => {
  const server = await scriptedServer('hang');
  const limits = { timeoutMs: 60_000, totalMs: 100 };
  const failure = await failureOf(paymentsOf(server.url, { limits }).create(newPayment(), ALWAYS));
  expect([failure.name, failure.message]).toEqual([
    'PaymentsUnavailable',
    expect.stringContaining('100 ms'),
  ]);
});

test('whoever gives up is told at once, also before Stripe was asked', async () => {
  const server = await scriptedServer('hang');
  const payments = paymentsOf(server.url);
  const giving = new AbortController();
  const failure = failureOf(payments.create(newPayment(), giving.signal));
  giving.abort();
  expect((await failure).name).toBe('PaymentsUnavailable');
  const before = server.requests.length;
  expect((await failureOf(payments.read(PAYMENT, giving.signal))).message).toContain('given up');
  expect(server.requests.length - before).toBeLessThanOrEqual(1);
});

test('the version of the API is said with each request, and nothing of how fast we are', async () => {
  const server = await scriptedServer(INTENT);
  const payments = paymentsOf(server.url);
  await payments.create(newPayment(), ALWAYS);
  await payments.create(newPayment(), ALWAYS);
  for (const { headers } of server.requests) {
    expect(headers['stripe-version']).toBe('2026-10-28.endive');
    expect(headers['user-agent']).toContain('gatehouse');
    expect(headers['x-stripe-client-telemetry']).toBeUndefined();
  }
});
