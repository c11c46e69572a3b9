import type { Emit } from './event-log.ts';
import type { Form } from './form.ts';
import type { Journal } from './journal.ts';
import { DECLINED, newCharge, newIntent } from './new-payment.ts';
import type { Cause, Charge, PaymentIntent } from './objects.ts';
import { NO_REQUEST } from './objects.ts';
import { existing, Refusal } from './refusal.ts';
import { nowInSeconds } from './values.ts';

export interface PaymentIntents {
  create(form: Form, cause: Cause): PaymentIntent;
  /** @throws Refusal when it is paid or canceled */
  cancel(id: string, reason: string | null, cause: Cause): PaymentIntent;
  pay(id: string): PaymentIntent;
  /** The card is declined: the PaymentIntent waits for another. */
  fail(id: string): PaymentIntent;
  /** @throws Refusal, 404 */
  find(id: string): PaymentIntent;
  /** @throws Refusal, 404 */
  charge(id: string): Charge;
  /** Oldest first. */
  all(): readonly PaymentIntent[];
}

/** PaymentIntents with their charges. */
export function createPaymentIntents(emit: Emit, journal: Journal): PaymentIntents {
  const intents = journal.read<PaymentIntent>('payment_intent');
  const charges = journal.read<Charge>('charge');

  const find = (id: string): PaymentIntent => existing(intents, 'payment_intent', id, 'intent');

  function findOpen(id: string, verb: string): PaymentIntent {
    const intent = find(id);
    if (intent.status === 'requires_payment_method') return intent;
    throw new Refusal(400, {
      type: 'invalid_request_error',
      code: 'payment_intent_unexpected_state',
      message: `You cannot ${verb} this PaymentIntent because it has a status of ${intent.status}.`,
      payment_intent: intent,
    });
  }

  function charge(intent: PaymentIntent, isPaid: boolean): Charge {
    const made = newCharge(intent, isPaid);
    charges.set(made.id, made);
    intent.latest_charge = made.id;
    return made;
  }

  return {
    create: (form, cause) => {
      const intent = newIntent(form);
      intents.set(intent.id, intent);
      emit('payment_intent.created', intent, cause);
      return intent;
    },
    cancel: (id, reason, cause) => {
      const intent = findOpen(id, 'cancel');
      intent.status = 'canceled';
      intent.canceled_at = nowInSeconds();
      intent.cancellation_reason = reason;
      emit('payment_intent.canceled', intent, cause);
      return intent;
    },
    pay: (id) => {
      const intent = findOpen(id, 'pay');
      const paid = charge(intent, true);
      intent.status = 'succeeded';
      intent.amount_received = intent.amount;
      intent.payment_method = paid.payment_method;
      intent.last_payment_error = null;
      emit('charge.succeeded', paid, NO_REQUEST);
      emit('payment_intent.succeeded', intent, NO_REQUEST);
      return intent;
    },
    fail: (id) => {
      const intent = findOpen(id, 'pay');
      const declined = charge(intent, false);
      intent.last_payment_error = {
        type: 'card_error',
        code: 'card_declined',
        decline_code: 'generic_decline',
        message: DECLINED,
        charge: declined.id,
      };
      emit('charge.failed', declined, NO_REQUEST);
      emit('payment_intent.payment_failed', intent, NO_REQUEST);
      return intent;
    },
    find,
    charge: (id) => existing(charges, 'charge', id),
    all: () => [...intents.values()],
  };
}
