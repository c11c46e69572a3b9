import Type, { type Static } from 'typebox';

/** What a mail says of money that came into an account or went out of it. Each like `25.00 USD`; empty for none. */
export const MOVED_MONEY = {
  amount: Type.String(),
  /** What of it became cash, or was taken from it. */
  cash: Type.String(),
  /** What of it paid what the account owed, or is owed as cash was missing. */
  debt: Type.String(),
  /** What the account owes after it. */
  owed: Type.String(),
} as const;

const Moved = Type.Object(MOVED_MONEY);
export type MovedMoney = Static<typeof Moved>;

/** Where money went that came in. */
export function whereItWent({ cash, debt }: MovedMoney): string {
  if (debt === '') return 'It was added to your account.';
  if (cash === '') return 'All of it paid what your account owed.';
  return `${debt} of it paid what your account owed, and ${cash} was added to your cash.`;
}

/** Where money was taken from that went out. */
export function whereItWasTaken({ cash, debt }: MovedMoney): string {
  if (debt === '') return 'It was taken from your account.';
  if (cash === '') return 'Your account had no free cash for it: all of it is owed.';
  return `${cash} of it was taken from your cash. The other ${debt} was missing, and is owed.`;
}

/** For an account that owes; nothing for one that does not. */
export function debtNotice({ owed }: Pick<MovedMoney, 'owed'>): readonly string[] {
  if (owed === '') return [];
  return [
    `Your account owes ${owed} now. What it owes counts as spent, and it cannot buy with that. The next money that is ` +
      'paid in or comes back pays it first. What a sale brings does not: it stays cash beside what is owed.',
  ];
}
