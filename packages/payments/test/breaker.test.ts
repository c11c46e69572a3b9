import { inspect } from 'node:util';
import { until } from '@gatehouse/testing/condition';
import { type Script, scriptedServer } from '@gatehouse/testing/scripted-server';
import { describe, expect, test } from 'vitest';
import { createPayments } from '../src/client.ts';
import { ALWAYS, failureOf, newPayment, PATIENT, paymentsOf } from './parts.ts';

const json = { 'content-type': 'application/json' };
const failing: Script = {
  status: 500,
  headers: { ...json, 'stripe-should-retry': 'false' },
  body: { error: { type: 'api_error', message: 'no' } },
};
const refusing = (status: number): Script => ({
  status,
  headers: { ...json, 'stripe-should-retry': 'false' },
  body: { error: { type: 'invalid_request_error', message: 'no', code: 'x' } },
});
const limits = { ...PATIENT, failures: 3, openMs: 60_000 };

describe('the breaker', () => {
  test('opens after failures in a row, and then Stripe is left alone', async () => {
    const server = await scriptedServer(failing);
    const payments = paymentsOf(server.url, { limits });
    for (let call = 0; call < 3; call += 1) {
      await failureOf(payments.create(newPayment(), ALWAYS));
    }
    const failure = await failureOf(payments.create(newPayment(), ALWAYS));
    expect([failure.name, failure.message]).toEqual([
      'PaymentsUnavailable',
      expect.stringContaining('breaker'),
    ]);
    expect(failure).toMatchObject({ retryInMs: expect.any(Number) });
    expect(server.requests).toHaveLength(3);
  });

  test.each([400, 409, 429])('stays closed whatever is answered %i', async (status) => {
    const server = await scriptedServer(refusing(status));
    const payments = paymentsOf(server.url, { limits });
    for (let call = 0; call < 6; call += 1) await failureOf(payments.create(newPayment(), ALWAYS));
    expect(server.requests).toHaveLength(6);
  });

  test.each([401, 403, 404])('opens when an operator has to mend it (%i)', async (status) => {
    const server = await scriptedServer(refusing(status));
    const payments = paymentsOf(server.url, { limits });
    const failures = [];
    for (let call = 0; call < 6; call += 1) {
      failures.push(await failureOf(payments.create(newPayment(), ALWAYS)));
    }
    expect(server.requests).toHaveLength(3);
    // Also those who found it open: none of a thousand of them comes again sooner.
    for (const failure of failures) {
      const { retryInMs } = Object.assign({ retryInMs: 0 }, failure);
      expect(retryInMs).toBeGreaterThan(50_000);
      expect(retryInMs).toBeLessThanOrEqual(60_000);
    }
  });

  test('tells why it opens without the payment that it was about', async () => {
    const told: object[] = [];
    const server = await scriptedServer({
      ...failing,
      body: {
        error: { type: 'api_error', message: 'no', payment_intent: { client_secret: 'pi_secret' } },
      },
    });
    const settings = { STRIPE_SECRET_KEY: 'sk_test_a', STRIPE_API_URL: server.url };
    const log = { warn: (details: object) => void told.push(details) };
    const payments = createPayments(settings, log, limits);
    for (let call = 0; call < 3; call += 1) {
      const asked = payments?.create(newPayment(), ALWAYS) ?? Promise.resolve();
      await failureOf(asked);
    }
    expect(told).toMatchObject([{ err: { name: 'PaymentsUnavailable' } }]);
    expect(inspect(told, { depth: 9 })).not.toContain('pi_secret');
  });

  test('is not opened by who gives up', async () => {
    const server = await scriptedServer('hang');
    const payments = paymentsOf(server.url, { limits });
    for (let call = 0; call < 6; call += 1) {
      const giving = new AbortController();
      const failure = failureOf(payments.create(newPayment(), giving.signal));
      await until(async () => server.requests.length === call + 1, { what: 'the request' });
      giving.abort();
      expect((await failure).message).toContain('nobody waits');
    }
  });

  test('lets one call try after a while, and opens again or closes by what comes of it', async () => {
    const server = await scriptedServer(failing);
    const payments = paymentsOf(server.url, { limits: { ...limits, openMs: 50 } });
    const message = async () => (await failureOf(payments.create(newPayment(), ALWAYS))).message;
    for (let call = 0; call < 3; call += 1) await message();
    await until(async () => !(await message()).includes('breaker'), { what: 'a call to try' });
    server.play(refusing(429));
    await until(async () => (await message()).includes('429'), { what: 'another one' });
    const intent = {
      id: 'pi_1',
      client_secret: 's',
      currency: 'usd',
      status: 'processing',
      metadata: {},
    };
    server.play({ status: 200, headers: json, body: intent });
    const works = async () => {
      const result = await payments.create(newPayment(), ALWAYS).catch(() => null);
      return result !== null;
    };
    await until(works, { what: 'the breaker to close' });
    expect(await works()).toBe(true);
  });
});
