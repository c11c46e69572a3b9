import type { Form } from './form.ts';
import type { Charge, PaymentIntent } from './objects.ts';
import { invalid } from './refusal.ts';
import { newId, nowInSeconds } from './values.ts';

/** In minor units; of dollars, and taken for all currencies. */
const MIN_AMOUNT = 50;
const MAX_AMOUNT = 99_999_999;
export const DECLINED = 'Your card was declined.';

const PARAMETERS = [
  ...['amount', 'currency', 'metadata', 'description', 'receipt_email', 'expand'],
  ...['automatic_payment_methods', 'payment_method_types'],
];

/** @throws Refusal, as Stripe does of parameters that it cannot take */
export function newIntent(form: Form): PaymentIntent {
  form.allowOnly(...PARAMETERS);
  form.required('amount');
  const amount = form.integer('amount') ?? 0;
  if (amount < MIN_AMOUNT) {
    throw invalid('Amount is too small.', { code: 'amount_too_small', param: 'amount' });
  }
  if (amount > MAX_AMOUNT) {
    throw invalid('Amount is too large.', { code: 'amount_too_large', param: 'amount' });
  }
  const currency = form.required('currency').toLowerCase();
  if (!/^[a-z]{3}$/.test(currency)) {
    throw invalid(`Invalid currency: ${currency}.`, { param: 'currency' });
  }
  const types = form.list('payment_method_types');
  const id = newId('pi');
  return {
    id,
    object: 'payment_intent',
    amount,
    amount_received: 0,
    automatic_payment_methods:
      types.length > 0 ? null : { allow_redirects: 'always', enabled: true },
    canceled_at: null,
    cancellation_reason: null,
    capture_method: 'automatic_async',
    client_secret: `${id}_${newId('secret')}`,
    confirmation_method: 'automatic',
    created: nowInSeconds(),
    currency,
    customer: null,
    description: form.text('description'),
    last_payment_error: null,
    latest_charge: null,
    livemode: false,
    metadata: form.map('metadata'),
    next_action: null,
    payment_method: null,
    payment_method_types: types.length > 0 ? types : ['card', 'link'],
    processing: null,
    receipt_email: form.text('receipt_email'),
    status: 'requires_payment_method',
  };
}

export function newCharge(intent: PaymentIntent, isPaid: boolean): Charge {
  return {
    id: newId('ch'),
    object: 'charge',
    amount: intent.amount,
    amount_captured: isPaid ? intent.amount : 0,
    amount_refunded: 0,
    balance_transaction: isPaid ? newId('txn') : null,
    captured: isPaid,
    created: nowInSeconds(),
    currency: intent.currency,
    customer: null,
    description: intent.description,
    disputed: false,
    failure_code: isPaid ? null : 'card_declined',
    failure_message: isPaid ? null : DECLINED,
    livemode: false,
    metadata: { ...intent.metadata },
    outcome: isPaid
      ? { network_status: 'approved_by_network', reason: null, type: 'authorized' }
      : {
          network_status: 'declined_by_network',
          reason: 'generic_decline',
          type: 'issuer_declined',
        },
    paid: isPaid,
    payment_intent: intent.id,
    payment_method: newId('pm'),
    refunded: false,
    status: isPaid ? 'succeeded' : 'failed',
  };
}
