import type { DepositState } from './deposit.ts';

/** What its owner and his listeners are told of a deposit. */
export type DepositNews =
  | 'deposit.created'
  | 'deposit.failed'
  | 'deposit.canceled'
  | 'deposit.succeeded'
  | 'deposit.refunded'
  | 'deposit.refund_failed'
  | 'deposit.dispute_opened'
  | 'deposit.dispute_updated'
  | 'deposit.dispute_won'
  | 'deposit.dispute_lost';

/**
 * What a change of what is known is news of, in the order in which it would have happened. Once each: whoever hears the
 * same again has no news.
 *
 * It is empty only when nothing is new, so no money moves without news. Each movement's own news is told with it, or was
 * told by an earlier change: that of what was taken back before the payment was heard of, which is what it waits for.
 */
export function newsOf(before: DepositState, after: DepositState): readonly DepositNews[] {
  const news: DepositNews[] = [];
  if (before.status === 'creating' && after.status !== 'creating') news.push('deposit.created');
  const isTurned = before.status !== after.status;
  if (isTurned && after.status === 'failed') news.push('deposit.failed');
  if (isTurned && after.status === 'canceled') news.push('deposit.canceled');
  if ((isTurned && after.status === 'succeeded') || after.receivedAmount > before.receivedAmount) {
    news.push('deposit.succeeded');
  }
  if (after.refundedAmount > before.refundedAmount) news.push('deposit.refunded');
  if (after.failedRefundAmount > before.failedRefundAmount) news.push('deposit.refund_failed');
  const known = new Map(before.disputes.map((dispute) => [dispute.id, dispute]));
  for (const { id, amount, status } of after.disputes) {
    const was = known.get(id);
    if (was === undefined) news.push('deposit.dispute_opened');
    else if (amount > was.amount) news.push('deposit.dispute_updated');
    if (was?.status === status) continue;
    if (status === 'won') news.push('deposit.dispute_won');
    if (status === 'lost') news.push('deposit.dispute_lost');
  }
  return news;
}
