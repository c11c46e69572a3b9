import Type, { type Static } from 'typebox';
import { debtNotice, MOVED_MONEY, whereItWent } from '../moved-money.ts';
import { defineNotice, type Notice } from '../notice.ts';

const data = Type.Object({
  depositId: Type.String(),
  ...MOVED_MONEY,
  /** RFC 3339. */
  receivedAt: Type.String(),
});

const notice = (deposit: Static<typeof data>): Notice => ({
  title: 'Your deposit is here',
  lead: `We received ${deposit.amount}. ${whereItWent(deposit)}`,
  details: [
    ['Amount', deposit.amount],
    ['Deposit', deposit.depositId],
    ['Time', deposit.receivedAt],
  ],
  rest: debtNotice(deposit),
});

/** Tells the owner of a deposit that its money has come. */
export const depositReceived = defineNotice({
  name: 'deposit-received',
  data,
  sample: {
    depositId: '0199f3a0-7c1e-7d5a-9b1f-3c2d4e5f6a7b',
    amount: '25.00 USD',
    cash: '18.00 USD',
    debt: '7.00 USD',
    owed: '',
    receivedAt: '2026-11-20T08:00:00.000Z',
  },
  subject: ({ amount }) => `Your deposit of ${amount} is here`,
  notice,
});
