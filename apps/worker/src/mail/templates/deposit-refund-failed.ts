import Type, { type Static } from 'typebox';
import { debtNotice, MOVED_MONEY, whereItWent } from '../moved-money.ts';
import { defineNotice, type Notice } from '../notice.ts';

const data = Type.Object({
  depositId: Type.String(),
  /** `amount` is what came back. */
  ...MOVED_MONEY,
  /** RFC 3339. */
  failedAt: Type.String(),
});

const notice = (refund: Static<typeof data>): Notice => ({
  title: 'A refund came back',
  lead: `A refund of ${refund.amount} did not reach you, and the money came back. ${whereItWent(refund)}`,
  details: [
    ['Amount', refund.amount],
    ['Deposit', refund.depositId],
    ['Time', refund.failedAt],
  ],
  rest: debtNotice(refund),
});

/** Tells the owner of a deposit that the money of a refund came back. */
export const depositRefundFailed = defineNotice({
  name: 'deposit-refund-failed',
  data,
  sample: {
    depositId: '0199f3a0-7c1e-7d5a-9b1f-3c2d4e5f6a7b',
    amount: '25.00 USD',
    cash: '25.00 USD',
    debt: '',
    owed: '',
    failedAt: '2026-11-20T08:00:00.000Z',
  },
  subject: ({ amount }) => `A refund of ${amount} came back`,
  notice,
});
