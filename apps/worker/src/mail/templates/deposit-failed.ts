import Type from 'typebox';
import { defineNotice, type Notice } from '../notice.ts';

const data = Type.Object({
  depositId: Type.String(),
  /** `25.00 USD`. */
  amount: Type.String(),
  /** RFC 3339. */
  failedAt: Type.String(),
});

const notice = ({ depositId, amount, failedAt }: Type.Static<typeof data>): Notice => ({
  title: 'Your payment did not go through',
  lead: `Your payment of ${amount} was declined. Nothing was added to your account.`,
  details: [
    ['Amount', amount],
    ['Deposit', depositId],
    ['Time', failedAt],
  ],
  rest: ['The deposit is still open: you can pay it in another way.'],
});

/** Tells the owner of a deposit that a payment of it failed. */
export const depositFailed = defineNotice({
  name: 'deposit-failed',
  data,
  sample: {
    depositId: '0199f3a0-7c1e-7d5a-9b1f-3c2d4e5f6a7b',
    amount: '25.00 USD',
    failedAt: '2026-11-20T08:00:00.000Z',
  },
  subject: ({ amount }) => `Your payment of ${amount} did not go through`,
  notice,
});
