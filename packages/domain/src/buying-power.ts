import { type Decimal, ZERO } from './decimal.ts';

/** Dollars. */
export interface AccountMoney {
  readonly cash: Decimal;
  /** Of the cash, what open orders hold. */
  readonly heldCash: Decimal;
  /** What the account owes: its own as little as what orders hold. */
  readonly owed: Decimal;
}

/** Dollars that an account can buy with; never below zero. */
export function buyingPower({ cash, heldCash, owed }: AccountMoney): Decimal {
  const left = cash.minus(heldCash).minus(owed);
  return left.greaterThan(ZERO) ? left : ZERO;
}
