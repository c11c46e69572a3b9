import type { Emit } from './event-log.ts';
import type { Journal } from './journal.ts';
import type { BalanceTransaction, Dispute } from './objects.ts';
import { NO_REQUEST } from './objects.ts';
import type { PaymentIntents } from './payment-intents.ts';
import { existing, invalid } from './refusal.ts';
import { newId, nowInSeconds } from './values.ts';

/** In minor units: what Stripe takes for a dispute, whoever wins. */
const DISPUTE_FEE = 1500;

export interface Disputes {
  /** What is not refunded is disputed, and withdrawn at once. */
  open(paymentIntentId: string): Dispute;
  close(id: string, outcome: 'won' | 'lost'): Dispute;
  /** @throws Refusal, 404 */
  find(id: string): Dispute;
  /** Oldest first. */
  all(): readonly Dispute[];
}

/** Disputes of charges: one for each at most. */
export function createDisputes(intents: PaymentIntents, emit: Emit, journal: Journal): Disputes {
  const disputes = journal.read<Dispute>('dispute');
  const find = (id: string): Dispute => existing(disputes, 'dispute', id);

  return {
    open: (id) => {
      const { latest_charge: chargeId } = intents.find(id);
      const charge = chargeId === null ? null : intents.charge(chargeId);
      if (!charge?.paid) throw invalid(`PaymentIntent ${id} has no paid charge to dispute.`);
      if ([...disputes.values()].some((one) => one.charge === charge.id)) {
        throw invalid(`Charge ${charge.id} is disputed already.`);
      }
      const amount = charge.amount - charge.amount_refunded;
      if (amount === 0) throw invalid(`Charge ${charge.id} has been refunded.`);
      charge.disputed = true;
      journal.keep('charge', charge.id, charge);
      const dispute: Dispute = {
        id: newId('dp'),
        object: 'dispute',
        amount,
        balance_transactions: [],
        charge: charge.id,
        created: nowInSeconds(),
        currency: charge.currency,
        is_charge_refundable: false,
        livemode: false,
        metadata: {},
        payment_intent: id,
        reason: 'fraudulent',
        status: 'needs_response',
      };
      disputes.set(dispute.id, dispute);
      emit('charge.dispute.created', dispute, NO_REQUEST);
      dispute.balance_transactions.push(transaction(-amount, DISPUTE_FEE, dispute, 'dispute'));
      emit('charge.dispute.funds_withdrawn', dispute, NO_REQUEST, { balance_transactions: [] });
      return dispute;
    },
    close: (id, outcome) => {
      const dispute = find(id);
      const { status } = dispute;
      if (status !== 'needs_response') throw invalid(`Dispute ${id} is ${status} already.`);
      dispute.status = outcome;
      emit('charge.dispute.closed', dispute, NO_REQUEST, { status });
      if (outcome === 'lost') return dispute;
      const before = [...dispute.balance_transactions];
      const back = transaction(dispute.amount, 0, dispute, 'dispute_reversal');
      dispute.balance_transactions.push(back);
      const previous = { balance_transactions: before };
      emit('charge.dispute.funds_reinstated', dispute, NO_REQUEST, previous);
      return dispute;
    },
    find,
    all: () => [...disputes.values()],
  };
}

function transaction(
  amount: number,
  fee: number,
  { currency }: Dispute,
  category: string,
): BalanceTransaction {
  return {
    id: newId('txn'),
    object: 'balance_transaction',
    amount,
    currency,
    fee,
    net: amount - fee,
    reporting_category: category,
    type: 'adjustment',
  };
}
