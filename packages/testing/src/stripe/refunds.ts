import type { Emit } from './event-log.ts';
import type { Form } from './form.ts';
import type { Journal } from './journal.ts';
import type { Cause, Charge, Refund } from './objects.ts';
import { NO_REQUEST } from './objects.ts';
import type { PaymentIntents } from './payment-intents.ts';
import { existing, invalid } from './refusal.ts';
import { newId, nowInSeconds } from './values.ts';

export interface Refunds {
  create(form: Form, cause: Cause): Refund;
  /** In minor units; all that is left when no amount is given. */
  refund(paymentIntentId: string, amount: number | null): Refund;
  /** The customer's bank sends the money back: the charge is refunded by that much less. */
  fail(id: string): Refund;
  /** @throws Refusal, 404 */
  find(id: string): Refund;
  /** Oldest first. */
  all(): readonly Refund[];
}

/** Refunds of charges: they add up, and cannot exceed what was paid. */
export function createRefunds(intents: PaymentIntents, emit: Emit, journal: Journal): Refunds {
  const refunds = journal.read<Refund>('refund');
  const find = (id: string): Refund => existing(refunds, 'refund', id);

  /** The last charge of a PaymentIntent, which is its only paid one. */
  function chargeOf(paymentIntentId: string): Charge {
    const { latest_charge: id } = intents.find(paymentIntentId);
    const charge = id === null ? null : intents.charge(id);
    if (charge?.paid) return charge;
    throw invalid(
      `This PaymentIntent (${paymentIntentId}) does not have a successful charge to refund.`,
      { param: 'payment_intent' },
    );
  }

  function refund(charge: Charge, asked: number | null, more: Partial<Refund>, cause: Cause) {
    const amount = checkAmount(charge, asked);
    const previous = { amount_refunded: charge.amount_refunded, refunded: charge.refunded };
    charge.amount_refunded += amount;
    charge.refunded = charge.amount_refunded === charge.amount;
    const made: Refund = {
      id: newId('re'),
      object: 'refund',
      amount,
      balance_transaction: newId('txn'),
      charge: charge.id,
      created: nowInSeconds(),
      currency: charge.currency,
      metadata: {},
      payment_intent: charge.payment_intent,
      reason: null,
      status: 'succeeded',
      ...more,
    };
    refunds.set(made.id, made);
    emit('refund.created', made, cause);
    emit('charge.refunded', charge, cause, previous);
    return made;
  }

  return {
    create: (form, cause) => {
      form.allowOnly('payment_intent', 'charge', 'amount', 'reason', 'metadata', 'expand');
      const id = form.text('charge');
      const charge = id === null ? chargeOf(form.required('payment_intent')) : intents.charge(id);
      const more = { reason: form.text('reason'), metadata: form.map('metadata') };
      return refund(charge, form.integer('amount'), more, cause);
    },
    refund: (id, amount) => refund(chargeOf(id), amount, {}, NO_REQUEST),
    fail: (id) => {
      const failed = find(id);
      const { status } = failed;
      if (status === 'failed') throw invalid(`Refund ${id} has failed already.`);
      const charge = intents.charge(failed.charge);
      charge.amount_refunded -= failed.amount;
      charge.refunded = false;
      journal.keep('charge', charge.id, charge);
      failed.status = 'failed';
      failed.failure_reason = 'expired_or_canceled_card';
      emit('refund.updated', failed, NO_REQUEST, { status });
      emit('refund.failed', failed, NO_REQUEST);
      return failed;
    },
    find,
    all: () => [...refunds.values()],
  };
}

function checkAmount(charge: Charge, asked: number | null): number {
  const left = charge.amount - charge.amount_refunded;
  if (!charge.paid) throw invalid(`Charge ${charge.id} has not been paid.`, { param: 'charge' });
  if (charge.disputed) {
    const message = `Charge ${charge.id} has been charged back; cannot issue a refund.`;
    throw invalid(message, { code: 'charge_disputed' });
  }
  if (left === 0) {
    const message = `Charge ${charge.id} has already been refunded.`;
    throw invalid(message, { code: 'charge_already_refunded' });
  }
  const amount = asked ?? left;
  if (!Number.isSafeInteger(amount) || amount < 1) {
    const problem = { code: 'parameter_invalid_integer', param: 'amount' };
    throw invalid('Refund amount must be a positive integer.', problem);
  }
  if (amount > left) {
    const message = `Refund amount (${amount}) is greater than unrefunded amount on charge (${left})`;
    throw invalid(message, { param: 'amount' });
  }
  return amount;
}
