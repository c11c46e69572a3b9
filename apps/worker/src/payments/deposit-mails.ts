import type { Heard } from '@gatehouse/db/deposit-facts';
import type { MovementMade } from '@gatehouse/db/deposit-movements';
import { type Decimal, decimal, ZERO } from '@gatehouse/domain/decimal';
import {
  type DepositState,
  type Dispute,
  type Movement,
  type MovementKind,
  owedMovements,
} from '@gatehouse/domain/deposit';
import { composeEmail, type OwedEmail } from '../mail/compose-email.ts';
import { depositDisputed } from '../mail/templates/deposit-disputed.ts';
import { depositFailed } from '../mail/templates/deposit-failed.ts';
import { depositReceived } from '../mail/templates/deposit-received.ts';
import { depositRefundFailed } from '../mail/templates/deposit-refund-failed.ts';
import { depositRefunded } from '../mail/templates/deposit-refunded.ts';
import { formatMinor } from './minor-units.ts';

/**
 * The mails that the owner of a deposit is owed for a change of it. Those of money tell of the movements that the change
 * has posted: each is told once, when it happens, in whichever order it was heard of. What moves no money is told as
 * news: a payment that failed, and a dispute that was lost.
 */
export function depositMails(heard: Heard, recipient: string): OwedEmail[] {
  const { before, deposit, news, movements, owed, at } = heard;
  const { id: depositId, accountId, currency } = deposit;
  const to = { accountId, recipient };
  const time = at.toISOString();
  const money = (amount: number) => `${formatMinor(amount)} ${currency.toUpperCase()}`;
  // Nothing is said of nothing.
  const dollars = (amount: Decimal) =>
    amount.isZero() ? '' : `${amount.toFixed(2)} ${currency.toUpperCase()}`;
  const failed = news.includes('deposit.failed')
    ? [{ depositId, amount: money(deposit.amount), failedAt: time }]
    : [];
  const lost = disputesLost(before, deposit).map(({ amount }) => ({
    ...{ depositId, outcome: 'lost', amount: money(amount), total: money(amount) },
    ...{ cash: '', debt: '', owed: dollars(owed ?? ZERO), changedAt: time },
  }));
  return [
    ...failed.map((data) => composeEmail(depositFailed, { ...to, data })),
    ...movements.map(mailOf),
    ...lost.map((data) => composeEmail(depositDisputed, { ...to, data })),
  ];

  function mailOf({ kind, amount, disputeId, debt, owed: left }: MovementMade): OwedEmail {
    const cash = dollars(decimal(amount).dividedBy(100).minus(debt));
    const moved = { amount: money(amount), cash, debt: dollars(debt), owed: dollars(left) };
    const of = { depositId, ...moved };
    switch (kind) {
      case 'deposit':
        return composeEmail(depositReceived, { ...to, data: { ...of, receivedAt: time } });
      case 'refund': {
        const total = money(refundedInAll(deposit, movements));
        const deposited = money(deposit.amount);
        const data = { ...of, total, deposited, refundedAt: time };
        return composeEmail(depositRefunded, { ...to, data });
      }
      case 'refund_reversal':
        return composeEmail(depositRefundFailed, { ...to, data: { ...of, failedAt: time } });
      case 'dispute':
      case 'dispute_reversal': {
        const about = deposit.disputes.find(({ id }) => id === disputeId)?.amount ?? amount;
        const taken = about === amount ? 'opened' : 'raised';
        const outcome = kind === 'dispute' ? taken : 'won';
        const data = { ...of, outcome, total: money(about), changedAt: time };
        return composeEmail(depositDisputed, { ...to, data });
      }
    }
  }
}

/** What was refunded without what failed before. What failed at the same time has its own mail, after this one. */
function refundedInAll(deposit: DepositState, made: readonly Movement[]): number {
  const all = owedMovements(deposit, []);
  return sum(all, 'refund') - sum(all, 'refund_reversal') + sum(made, 'refund_reversal');
}

function sum(movements: readonly Movement[], of: MovementKind): number {
  return movements
    .filter(({ kind }) => kind === of)
    .reduce((total, { amount }) => total + amount, 0);
}

/** Those whose money is known now to be taken for good. Before its payment is heard of, none was taken. */
function disputesLost(before: DepositState, after: DepositState): readonly Dispute[] {
  const lostIn = ({ receivedAmount, disputes }: DepositState) =>
    receivedAmount === 0 ? [] : disputes.filter(({ status }) => status === 'lost');
  const known = new Set(lostIn(before).map(({ id }) => id));
  return lostIn(after).filter(({ id }) => !known.has(id));
}
