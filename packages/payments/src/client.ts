import Stripe from 'stripe';
import { isMissing } from './failures.ts';
import { createGuard, type Guard, type GuardLimits } from './guard.ts';
import type { EventTime, Payments } from './payments.ts';
import { HANDLED_EVENT_TYPES } from './read-event.ts';
import { findPaymentId, readPayment, toReading } from './read-payment.ts';
import type { PaymentSettings } from './settings.ts';

/** The version that the library's types are of. An upgrade of the library changes it here, or does not compile. */
const API_VERSION = '2026-10-28.endive' satisfies Stripe.LatestApiVersion;

export interface PaymentLimits extends GuardLimits {
  /** Milliseconds for which Stripe may be silent. */
  readonly timeoutMs: number;
}

/** All in all less than a claim of an idempotency key stands. */
const LIMITS: PaymentLimits = { timeoutMs: 8_000, totalMs: 10_000, failures: 5, openMs: 5_000 };

/** As of pino. */
export interface PaymentsLog {
  warn(details: object, message: string): void;
}

/** Stripe; null without a key for it. */
export function createPayments(
  settings: PaymentSettings,
  log?: PaymentsLog,
  changes: Partial<PaymentLimits> = {},
): Payments | null {
  if (settings.STRIPE_SECRET_KEY === '') return null;
  const limits = { ...LIMITS, ...changes };
  const stripe = createStripe(settings, limits);
  const guard = createGuard(limits, (err) =>
    log?.warn({ err }, 'Stripe has failed too often, it is left alone for a while'),
  );

  return {
    create: ({ depositId, accountId, amount, currency }, signal) =>
      guard(async () => {
        const metadata = { deposit_id: depositId, account_id: accountId };
        const intent = await stripe.paymentIntents.create(
          { amount, currency, automatic_payment_methods: { enabled: true }, metadata },
          { idempotencyKey: depositId },
        );
        return toReading(intent);
      }, signal),
    read: (object, signal) =>
      guard(async () => {
        try {
          const id = await findPaymentId(stripe, object);
          return id === null ? null : await readPayment(stripe, id);
        } catch (error) {
          if (isMissing(error)) return null;
          throw error;
        }
      }, signal),
    undeliveredEvents: (time, signal) => undelivered(stripe, guard, time, signal),
  };
}

function createStripe(settings: PaymentSettings, { timeoutMs }: PaymentLimits): Stripe {
  const { protocol, hostname, port } = new URL(settings.STRIPE_API_URL);
  return new Stripe(settings.STRIPE_SECRET_KEY, {
    apiVersion: API_VERSION,
    // Without the brackets of an IPv6 address, which only a URL has.
    host: hostname.replace(/^\[|\]$/g, ''),
    ...(port !== '' && { port }),
    protocol: protocol === 'http:' ? 'http' : 'https',
    // A closed connection is tried again even without this: the key of the request makes it safe.
    maxNetworkRetries: 1,
    timeout: timeoutMs,
    telemetry: false,
    appInfo: { name: 'gatehouse' },
  });
}

async function* undelivered(
  stripe: Stripe,
  guard: Guard,
  { since, until }: EventTime,
  signal: AbortSignal,
) {
  const created = { gte: since, ...(until !== undefined && { lt: until }) };
  // Of other types there may be any number: the list has those that any endpoint of the Stripe account did not take.
  const types = [...HANDLED_EVENT_TYPES];
  const events = stripe.events
    .list({ delivery_success: false, types, created, limit: 100 })
    [Symbol.asyncIterator]();
  while (true) {
    const { done, value: event } = await guard(() => events.next(), signal);
    if (done) return;
    const { id, type, livemode, created } = event;
    yield { id, type, livemode, created, payload: JSON.stringify(event) };
  }
}
