import type { Heard } from '@gatehouse/db/deposit-facts';
import type { MovementKind } from '@gatehouse/domain/deposit';
import type { DepositNews } from '@gatehouse/domain/deposit-news';
import { formatMinor } from './minor-units.ts';

const MOVED: Readonly<Record<MovementKind, (amount: string) => string>> = {
  deposit: (amount) => `credited ${amount}`,
  refund: (amount) => `took back ${amount} (refund)`,
  refund_reversal: (amount) => `gave back ${amount} (failed refund)`,
  dispute: (amount) => `took back ${amount} (dispute)`,
  dispute_reversal: (amount) => `gave back ${amount} (dispute won)`,
};

/** What came of an event, for operators. */
export function describeChange({
  movements,
  news,
  deposit,
}: Pick<Heard, 'movements' | 'news' | 'deposit'>): string {
  if (movements.length > 0) {
    return movements.map(({ kind, amount }) => MOVED[kind](formatMinor(amount))).join(', ');
  }
  const isPaid = deposit.receivedAmount > 0;
  return news.map((one) => withoutMoney(one, isPaid)).join(', ') || 'nothing new';
}

/** News that has moved no money, and why. */
function withoutMoney(news: DepositNews, isPaid: boolean): string {
  const because = (reason: string) => (isPaid ? reason : 'it waits for its payment');
  switch (news) {
    case 'deposit.created':
      return 'its payment is known';
    case 'deposit.failed':
      return 'its payment failed';
    case 'deposit.canceled':
      return 'its payment was canceled';
    case 'deposit.succeeded':
      return 'its payment succeeded';
    case 'deposit.refunded':
      return `refund: ${because('no more is left of what was received')}`;
    case 'deposit.refund_failed':
      return `refund failed: ${because('no more was taken for it')}`;
    case 'deposit.dispute_opened':
      return `dispute opened: ${because('nothing was to be taken')}`;
    case 'deposit.dispute_updated':
      return `dispute raised: ${because('nothing was to be taken')}`;
    case 'deposit.dispute_won':
      return `dispute won: ${because('nothing was to be given back')}`;
    case 'deposit.dispute_lost':
      return `dispute lost: ${because('its money was taken before')}`;
  }
}
