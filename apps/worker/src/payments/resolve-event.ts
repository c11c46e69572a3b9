import type { DepositFacts } from '@gatehouse/domain/deposit';
import {
  type PaymentObject,
  type Payments,
  PaymentsRefused,
  PaymentUnreadable,
} from '@gatehouse/payments/payments';
import { readEvent } from '@gatehouse/payments/read-event';
import type { PaymentMode } from '@gatehouse/payments/settings';
import { NotYet } from '../not-yet.ts';
import { askPayments, NO_KEY_RETRY_MS } from './ask-payments.ts';
import type { StoredReader } from './read-stored.ts';

/** Milliseconds until another worker may have the key of the account that a payment is of. */
const OTHER_ACCOUNT_RETRY_MS = 60_000;

/** What is to be done about an event: its facts are applied, or it ends with a reason for operators. */
export type Resolution =
  | {
      kind: 'facts';
      paymentIntentId: string;
      /** From the payment's metadata; null when they name no deposit. */
      depositId: string | null;
      facts: DepositFacts;
      /** Whether Stripe was asked; else the event said it itself. */
      isAsked: boolean;
    }
  | { kind: 'ignored' | 'refused'; reason: string };

export interface ResolveParts {
  stored: StoredReader;
  /** Null without access to Stripe. */
  payments: Payments | null;
  /** Of the key: events of the other mode are refused. Null without one. */
  mode: PaymentMode | null;
}

/**
 * Finds out what an event asks for.
 *
 * @throws {NotYet} when Stripe has to be asked, and cannot be, or the key is another account's
 */
export async function resolveEvent(
  { stored, payments, mode }: ResolveParts,
  payload: string,
  signal: AbortSignal,
): Promise<Resolution> {
  const reading = readEvent(payload, { mode });
  switch (reading.kind) {
    case 'ignored':
    case 'refused':
      return reading;
    case 'not yet':
      throw new NotYet(reading.reason, NO_KEY_RETRY_MS);
    case 'ask': {
      const answer = await ask(payments, reading.object, signal);
      if (answer !== null) return answer;
      const { type, id } = reading.object;
      const reason = `Stripe does not know ${type} ${id}`;
      if (await stored.isOurs(reading)) throw ofAnotherAccount(reason);
      return { kind: 'ignored', reason };
    }
    case 'facts': {
      const { paymentIntentId, facts } = reading;
      const said = { ...reading, isAsked: false };
      // A charge tells the total of its refunds without those that failed. We count all that were begun, so that what
      // is known only grows: as soon as one has failed, only the list of them tells that.
      if (facts.refundedAmount === undefined) return said;
      if (!(await stored.hasFailedRefund(paymentIntentId))) return said;
      const object = { type: 'payment_intent', id: paymentIntentId } as const;
      const answer = await ask(payments, object, signal);
      if (answer === null) throw ofAnotherAccount(`Stripe does not know ${paymentIntentId}`);
      return answer;
    }
  }
}

/** A deposit's payment was made with our key: Stripe does not lose it. */
function ofAnotherAccount(reason: string): NotYet {
  return new NotYet(
    `${reason}: is STRIPE_SECRET_KEY another account's? It is about a deposit of ours`,
    OTHER_ACCOUNT_RETRY_MS,
  );
}

/** Null when Stripe does not know the object, or it belongs to no payment. */
async function ask(
  payments: Payments | null,
  object: PaymentObject,
  signal: AbortSignal,
): Promise<Resolution | null> {
  try {
    const answer = await askPayments(payments, (provider) => provider.read(object, signal));
    if (answer === null) return null;
    const { paymentIntentId, depositId, facts } = answer;
    return { kind: 'facts', paymentIntentId, depositId, facts, isAsked: true };
  } catch (error) {
    // Asking again would bring the same.
    if (error instanceof PaymentsRefused || error instanceof PaymentUnreadable) {
      return { kind: 'refused', reason: error.message };
    }
    throw error;
  }
}
