import type { DepositNews } from '../deposit-news.ts';
import { DepositSchema, type DepositView } from '../deposit-view.ts';
import { type EventTypeInfo, eventType } from './event-type.ts';

const PENDING: DepositView = {
  id: '0197a1b2-0000-7000-8000-000000000003',
  status: 'pending',
  amount: 2500,
  currency: 'usd',
  paymentIntentId: 'pi_3Q0example',
  receivedAmount: 0,
  refundedAmount: 0,
  disputedAmount: 0,
  createdAt: '2026-11-20T08:00:00.000Z',
  updatedAt: '2026-11-20T08:00:01.000Z',
  succeededAt: null,
};
const SUCCEEDED: DepositView = {
  ...PENDING,
  status: 'succeeded',
  receivedAmount: 2500,
  updatedAt: '2026-11-20T08:02:30.000Z',
  succeededAt: '2026-11-20T08:02:30.000Z',
};
const LATER = { updatedAt: '2026-11-25T10:00:00.000Z' };
const DISPUTED: DepositView = { ...SUCCEEDED, ...LATER, disputedAmount: 2500 };

const deposit = (description: string, example: DepositView) =>
  eventType(DepositSchema, description, example);

export const DEPOSIT_EVENTS = {
  'deposit.created': deposit('A deposit was begun: it waits to be paid.', PENDING),
  'deposit.failed': deposit('A card was declined. Another may still be tried.', {
    ...PENDING,
    status: 'failed',
  }),
  'deposit.canceled': deposit('A deposit was canceled before it was paid.', {
    ...PENDING,
    status: 'canceled',
  }),
  'deposit.succeeded': deposit('A deposit was paid, and its money is in the account.', SUCCEEDED),
  'deposit.refunded': deposit('Money of a deposit goes back to its payer.', {
    ...SUCCEEDED,
    ...LATER,
    refundedAmount: 1000,
  }),
  'deposit.refund_failed': deposit('A refund failed: its money is back in the account.', {
    ...SUCCEEDED,
    ...LATER,
  }),
  'deposit.dispute_opened': deposit('The payer disputes a deposit.', DISPUTED),
  'deposit.dispute_updated': deposit('A dispute is about more than before.', DISPUTED),
  'deposit.dispute_won': deposit('A dispute was decided for the account.', {
    ...SUCCEEDED,
    ...LATER,
  }),
  'deposit.dispute_lost': deposit('A dispute was decided for the payer.', DISPUTED),
} as const satisfies Record<DepositNews, EventTypeInfo<typeof DepositSchema>>;
