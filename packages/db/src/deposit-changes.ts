import { type DepositFacts, type DepositState, mergeFacts } from '@gatehouse/domain/deposit';
import { type DepositNews, newsOf } from '@gatehouse/domain/deposit-news';
import type { StoredDeposit } from './deposit-rows.ts';

export interface Hearing {
  /** Of the payment that the facts are about. Needed for a deposit whose payment is not known yet. */
  paymentIntentId?: string;
  at: Date;
  /** What the events are traced back to. */
  requestId: string | null;
}

/** A deposit before something was heard of it and after: the same when nothing of it was new. */
export interface DepositChange {
  before: StoredDeposit;
  deposit: StoredDeposit;
  news: readonly DepositNews[];
  at: Date;
  requestId: string | null;
}

/**
 * Merges what was heard into a deposit. Nothing is written: see `writeChanges`.
 *
 * @throws when the deposit has another payment
 */
export function hearFacts(
  before: StoredDeposit,
  facts: DepositFacts,
  { paymentIntentId, at, requestId }: Hearing,
): DepositChange {
  const payment = before.paymentIntentId ?? paymentIntentId ?? null;
  if (paymentIntentId !== undefined && paymentIntentId !== payment) {
    throw new Error(`the payment of deposit ${before.id} is ${payment}, not ${paymentIntentId}`);
  }
  const heard = mergeFacts(before, facts);
  // Whoever has a payment is not being made any more, even if he was only told of its refund.
  const after = payment === null ? heard : mergeFacts(heard, { status: 'pending' });
  if (payment === before.paymentIntentId && isSame(before, after)) {
    return { before, deposit: before, news: [], at, requestId };
  }
  const isPaid = before.status !== 'succeeded' && after.status === 'succeeded';
  const deposit: StoredDeposit = {
    ...before,
    ...after,
    paymentIntentId: payment,
    updatedAt: at,
    succeededAt: isPaid ? at : before.succeededAt,
  };
  return { before, deposit, news: newsOf(before, deposit), at, requestId };
}

function isSame(a: DepositState, b: DepositState): boolean {
  return (
    a.status === b.status &&
    a.receivedAmount === b.receivedAmount &&
    a.refundedAmount === b.refundedAmount &&
    a.failedRefundAmount === b.failedRefundAmount &&
    newDisputes(a, b).length === 0
  );
}

/** The disputes of which more is known after than before. */
export function newDisputes(before: DepositState, after: DepositState): DepositState['disputes'] {
  const known = new Map(before.disputes.map((dispute) => [dispute.id, dispute]));
  return after.disputes.filter(({ id, amount, status }) => {
    const was = known.get(id);
    return was?.amount !== amount || was.status !== status;
  });
}
