import Type, { type Static } from 'typebox';
import { debtNotice, MOVED_MONEY, whereItWasTaken, whereItWent } from '../moved-money.ts';
import { defineNotice, type Notice } from '../notice.ts';

const data = Type.Object({
  depositId: Type.String(),
  /** `opened`, `raised`, `won` (by us: the payment stands) or `lost`. */
  outcome: Type.String(),
  /** `amount` is what went or came back now; of one that was lost, what it was about. */
  ...MOVED_MONEY,
  /** What the dispute is about. */
  total: Type.String(),
  /** RFC 3339. */
  changedAt: Type.String(),
});

type Data = Static<typeof data>;

function title({ outcome }: Data): string {
  switch (outcome) {
    case 'won':
      return 'A dispute was decided for your deposit';
    case 'lost':
      return 'A dispute was decided against your deposit';
    case 'raised':
      return 'More of a deposit is disputed';
    default:
      return 'A deposit is disputed';
  }
}

function lead(dispute: Data): string {
  const { outcome, amount, total } = dispute;
  switch (outcome) {
    case 'won':
      return `The dispute about ${total} is over, and ${amount} came back. ${whereItWent(dispute)}`;
    case 'lost':
      return `The dispute about ${total} is over. The money is not coming back.`;
    case 'raised':
      return `The dispute is about ${total} now: the bank has taken back ${amount} more. ${whereItWasTaken(dispute)}`;
    default:
      return (
        `Whoever paid has told his bank that he did not, and the bank has taken back ${amount} until the dispute is ` +
        `decided. ${whereItWasTaken(dispute)}`
      );
  }
}

const notice = (dispute: Data): Notice => ({
  title: title(dispute),
  lead: lead(dispute),
  details: [
    ['Amount', dispute.amount],
    ['Deposit', dispute.depositId],
    ['Time', dispute.changedAt],
  ],
  rest: debtNotice(dispute),
});

/** Tells the owner of a deposit of a dispute about it: what was taken for it, and how it was decided. */
export const depositDisputed = defineNotice({
  name: 'deposit-disputed',
  data,
  sample: {
    depositId: '0199f3a0-7c1e-7d5a-9b1f-3c2d4e5f6a7b',
    outcome: 'opened',
    amount: '25.00 USD',
    total: '40.00 USD',
    cash: '18.00 USD',
    debt: '7.00 USD',
    owed: '7.00 USD',
    changedAt: '2026-11-20T08:00:00.000Z',
  },
  subject: (dispute) => `${title(dispute)}: ${dispute.amount}`,
  notice,
});
