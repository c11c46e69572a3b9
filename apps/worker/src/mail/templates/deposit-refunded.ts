import Type, { type Static } from 'typebox';
import { debtNotice, MOVED_MONEY, whereItWasTaken } from '../moved-money.ts';
import { defineNotice, type Notice } from '../notice.ts';

const data = Type.Object({
  depositId: Type.String(),
  /** `amount` is what was paid back now. */
  ...MOVED_MONEY,
  /** What was paid back of the deposit in all, without what came back to it. */
  total: Type.String(),
  /** What was paid in. */
  deposited: Type.String(),
  /** RFC 3339. */
  refundedAt: Type.String(),
});

const notice = (refund: Static<typeof data>): Notice => ({
  title: 'A deposit was refunded',
  lead: `${refund.amount} of your deposit was paid back to where it came from. ${whereItWasTaken(refund)}`,
  details: [
    ['Refunded now', refund.amount],
    ['Refunded in all', refund.total],
    ['Deposit of', refund.deposited],
    ['Deposit', refund.depositId],
    ['Time', refund.refundedAt],
  ],
  rest: debtNotice(refund),
});

/** Tells the owner of a deposit that money of it went back. */
export const depositRefunded = defineNotice({
  name: 'deposit-refunded',
  data,
  sample: {
    depositId: '0199f3a0-7c1e-7d5a-9b1f-3c2d4e5f6a7b',
    amount: '25.00 USD',
    cash: '25.00 USD',
    debt: '',
    owed: '',
    total: '40.00 USD',
    deposited: '100.00 USD',
    refundedAt: '2026-11-20T08:00:00.000Z',
  },
  subject: ({ amount }) => `${amount} of your deposit was refunded`,
  notice,
});
