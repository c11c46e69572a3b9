import { newId } from '@gatehouse/domain/id';
import { startFakeStripe } from '@gatehouse/testing/stripe/fake-stripe';
import { onTestFinished } from 'vitest';
import { createPayments, type PaymentLimits } from '../src/client.ts';
import type { NewPayment, Payments } from '../src/payments.ts';

export const { signal: ALWAYS } = new AbortController();

/** Long enough for a machine that has much to do, where nothing is to time out. */
export const PATIENT: Partial<PaymentLimits> = { timeoutMs: 30_000, totalMs: 60_000 };
/** Where something does. */
export const IMPATIENT: Partial<PaymentLimits> = { timeoutMs: 200, totalMs: 60_000 };

export function paymentsOf(
  url: string,
  { key = 'sk_test_a', limits = PATIENT }: { key?: string; limits?: Partial<PaymentLimits> } = {},
): Payments {
  const settings = { STRIPE_SECRET_KEY: key, STRIPE_API_URL: url };
  const payments = createPayments(settings, undefined, limits);
  if (payments === null) throw new Error('there is a key');
  return payments;
}

/** A fake Stripe with a client, until the test ends. */
export async function stripeWithClient(limits: Partial<PaymentLimits> = PATIENT) {
  const stripe = await startFakeStripe();
  onTestFinished(stripe.close);
  return { stripe, payments: paymentsOf(stripe.url, { key: stripe.apiKey, limits }) };
}

export const newPayment = (changes: Partial<NewPayment> = {}): NewPayment => ({
  depositId: newId(),
  accountId: newId(),
  amount: 2500,
  currency: 'usd',
  ...changes,
});

/** What a call throws. */
export async function failureOf(call: Promise<unknown>): Promise<Error> {
  const error = await call.then(
    () => new Error('it did not fail'),
    (reason: unknown) => reason,
  );
  return error instanceof Error ? error : new Error(`it threw ${error}`);
}
