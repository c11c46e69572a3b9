import type { DepositStatus, Dispute } from '@gatehouse/domain/deposit';
import type Stripe from 'stripe';
import { CURRENCY, isFailedRefund, readDisputeStatus } from './event-handlers.ts';
import { depositIdOf, idOf } from './event-objects.ts';
import {
  type PaymentObject,
  type PaymentReading,
  PaymentsRefused,
  PaymentUnreadable,
} from './payments.ts';

/** Stripe's most. */
const PAGE = 100;

/** The id of the PaymentIntent that an object belongs to; null for one that belongs to none. */
export async function findPaymentId(
  stripe: Stripe,
  { type, id }: PaymentObject,
): Promise<string | null> {
  switch (type) {
    case 'payment_intent':
      return id;
    case 'charge':
      return idOf((await stripe.charges.retrieve(id)).payment_intent);
    case 'refund':
      return idOf((await stripe.refunds.retrieve(id)).payment_intent);
    case 'dispute':
      return idOf((await stripe.disputes.retrieve(id)).payment_intent);
  }
}

/** All that Stripe says of a PaymentIntent. @throws {PaymentsRefused} and {PaymentUnreadable} */
export async function readPayment(stripe: Stripe, id: string): Promise<PaymentReading> {
  const intent = await stripe.paymentIntents.retrieve(id);
  const reading = toReading(intent);
  if (intent.latest_charge === null) return reading;
  const [refunds, disputes] = await Promise.all([
    readRefunds(stripe, id),
    readDisputes(stripe, id),
  ]);
  return { ...reading, facts: { ...reading.facts, ...refunds, disputes } };
}

/** What a PaymentIntent itself says. @throws {PaymentsRefused} and {PaymentUnreadable} */
export function toReading(intent: Stripe.PaymentIntent): PaymentReading {
  const { id, client_secret: clientSecret, currency, metadata } = intent;
  // Whoever answers may not be Stripe, whatever its types say.
  if (!id) throw new Error('the answer is no PaymentIntent');
  if (!clientSecret) throw new PaymentUnreadable(`${id} has no client secret`);
  if (currency !== CURRENCY) throw new PaymentsRefused(`${id} is in ${currency}`, null);
  const status = statusOf(intent);
  if (status === 'succeeded' && intent.amount_received === 0) {
    throw new PaymentUnreadable(`${id} succeeded, and says that nothing was received`);
  }
  return {
    paymentIntentId: id,
    depositId: depositIdOf(metadata),
    clientSecret,
    facts: {
      status,
      ...(status === 'succeeded' && { receivedAmount: intent.amount_received }),
    },
  };
}

function statusOf({ status, last_payment_error }: Stripe.PaymentIntent): DepositStatus {
  switch (status) {
    case 'succeeded':
      return 'succeeded';
    case 'canceled':
      return 'canceled';
    case 'requires_payment_method':
      return last_payment_error === null ? 'pending' : 'failed';
    default:
      return 'pending';
  }
}

async function readRefunds(stripe: Stripe, id: string) {
  let [refundedAmount, failedRefundAmount] = [0, 0];
  for await (const { amount, status } of stripe.refunds.list({ payment_intent: id, limit: PAGE })) {
    refundedAmount += amount;
    if (isFailedRefund(status)) failedRefundAmount += amount;
  }
  return { refundedAmount, failedRefundAmount };
}

async function readDisputes(stripe: Stripe, paymentId: string): Promise<readonly Dispute[]> {
  const disputes: Dispute[] = [];
  const all = stripe.disputes.list({ payment_intent: paymentId, limit: PAGE });
  for await (const { id, amount, status: word } of all) {
    const status = readDisputeStatus(word);
    if (status === null) {
      throw new PaymentUnreadable(`${paymentId} has a dispute that is ${word}, which nobody knows`);
    }
    if (status !== 'no money' && amount > 0) disputes.push({ id, amount, status });
  }
  return disputes;
}
