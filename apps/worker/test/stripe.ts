import type { Database } from '@gatehouse/db/client';
import { applyDepositFacts } from '@gatehouse/db/deposit-facts';
import { insertDeposit, lockDeposit } from '@gatehouse/db/deposits';
import { acceptStripeEvents } from '@gatehouse/db/stripe-events';
import { transaction } from '@gatehouse/db/transaction';
import { newId } from '@gatehouse/domain/id';
import { processStripeEvent } from '@gatehouse/jobs/definitions/process-stripe-event';
import type { JobLedger } from '@gatehouse/jobs/ledger';
import { createPayments } from '@gatehouse/payments/client';
import type { Payments } from '@gatehouse/payments/payments';
import type { FakeStripe } from '@gatehouse/testing/stripe/fake';
import { startFakeStripe } from '@gatehouse/testing/stripe/fake-stripe';
import { onTestFinished } from 'vitest';
import { startStack, type TestStack } from './stack.ts';

export interface TestDeposit {
  id: string;
  paymentIntentId: string;
}

/** A deposit of so many cents whose payment is known: at no Stripe, unless it was made there. */
export async function addDeposit(
  db: Database,
  accountId: string,
  amount: number,
  { id = newId(), paymentIntentId = `pi_${id}` }: Partial<TestDeposit> = {},
): Promise<TestDeposit> {
  await addCreating(db, accountId, amount, id);
  await transaction(db, async (tx) => {
    const deposit = await lockDeposit(tx, { id });
    if (deposit === null) throw new Error('there is no deposit');
    const at = new Date();
    const facts = { status: 'pending' } as const;
    await applyDepositFacts(tx, deposit, facts, { paymentIntentId, at, requestId: null });
  });
  return { id, paymentIntentId };
}

/** A deposit that the gateway has not heard of from Stripe yet. */
export async function addCreating(db: Database, accountId: string, amount: number, id = newId()) {
  await transaction(db, (tx) => insertDeposit(tx, { id, accountId, amount, currency: 'usd' }));
  return id;
}

/** What the gateway reads of an event before it stores it. */
export interface TestEvent {
  id: string;
  type: string;
  livemode: boolean;
}

let made = 0;

/** An event as Stripe sends it, with an id of its own at each call. */
export function event(type: string, object: object, more: object = {}): TestEvent {
  made += 1;
  const named = { id: `evt_${made}`, object: 'event', type, livemode: false };
  return Object.assign(named, { data: { object } }, more);
}

/** A thin (v2) notification that something has happened to an object. */
export function thinEvent(type: string, of: { type: string; id: string }): TestEvent {
  made += 1;
  const named = { id: `evt_${made}`, object: 'v2.core.event', type, livemode: false };
  return Object.assign(named, { related_object: of });
}

/** The events of a payment, by what is to be said. Amounts in cents. */
export function eventsOf({ paymentIntentId, id }: TestDeposit, amount: number) {
  const intent = { id: paymentIntentId, amount, currency: 'usd', metadata: { deposit_id: id } };
  const payment = { payment_intent: paymentIntentId, currency: 'usd' };
  const dispute = (disputed: number, status: string) => ({
    ...payment,
    id: `dp_${id}`,
    amount: disputed,
    status,
  });
  return {
    created: () => event('payment_intent.created', { ...intent, amount_received: 0 }),
    failed: () => event('payment_intent.payment_failed', { ...intent, amount_received: 0 }),
    succeeded: () => event('payment_intent.succeeded', { ...intent, amount_received: amount }),
    /** In all. */
    refunded: (total: number) =>
      event('charge.refunded', { ...payment, id: `ch_${id}`, amount, amount_refunded: total }),
    disputed: (disputed: number) =>
      event('charge.dispute.created', dispute(disputed, 'needs_response')),
    decided: (disputed: number, outcome: 'won' | 'lost') =>
      event('charge.dispute.closed', dispute(disputed, outcome)),
  };
}

/** Accepts events as the gateway does, and returns the ids of their rows. */
export async function acceptEvents(
  { db, ledger }: { db: Database; ledger: JobLedger },
  events: readonly TestEvent[],
): Promise<string[]> {
  const batch = events.map((body) => {
    const { id: eventId, type, livemode } = body;
    const payload = JSON.stringify(body);
    const row = { id: newId(), eventId, type, livemode, source: 'webhook', payload } as const;
    const job = ledger.plan(processStripeEvent, { stripeEventId: row.id }, { requestId: null });
    return { event: row, job };
  });
  const isNew = await acceptStripeEvents(db, batch);
  ledger.dispatch(batch.filter(({ event: row }) => isNew.has(row.id)).map(({ job }) => job));
  return batch.map(({ event: row }) => row.id);
}

export interface StripeStack extends TestStack {
  stripe: FakeStripe;
  payments: Payments;
  /** Makes a deposit with its payment at the fake Stripe. */
  deposit(accountId: string, amount: number): Promise<TestDeposit>;
}

/** A stack whose workers have access to a fake Stripe, which sends its events nowhere. */
export async function startStripeStack(): Promise<StripeStack> {
  const stripe = await startFakeStripe();
  onTestFinished(() => stripe.close());
  const settings = { STRIPE_SECRET_KEY: stripe.apiKey, STRIPE_API_URL: stripe.url };
  const payments = createPayments(settings);
  if (payments === null) throw new Error('the fake Stripe has no key');
  const stack = await startStack({ settings });
  return {
    ...stack,
    stripe,
    payments,
    async deposit(accountId, amount) {
      const id = newId();
      const { signal } = new AbortController();
      const payment = { depositId: id, accountId, amount, currency: 'usd' };
      const { paymentIntentId } = await payments.create(payment, signal);
      return addDeposit(stack.db, accountId, amount, { id, paymentIntentId });
    },
  };
}
