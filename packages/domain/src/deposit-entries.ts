import { type Decimal, decimal, formatMoney, ZERO } from './decimal.ts';
import type { Movement, MovementKind } from './deposit.ts';
import type { LedgerEntry } from './ledger.ts';

/** What bears on a movement of money, in dollars. */
export interface Funds {
  /** Cash that open orders do not hold. */
  readonly freeCash: Decimal;
  /** What the account owes. Not negative. */
  readonly owed: Decimal;
}

/** A movement in the books. */
export interface PostedMovement {
  readonly entries: readonly LedgerEntry[];
  /** What it leaves for the next. */
  readonly funds: Funds;
}

const BRINGS: Readonly<Record<MovementKind, boolean>> = {
  deposit: true,
  refund: false,
  refund_reversal: true,
  dispute: false,
  dispute_reversal: true,
};

/**
 * The balanced entries of a movement. Money that comes in pays first what the account owes; money that goes out takes
 * the free cash, and the account owes the rest: of cash that an order holds nothing is taken, so cash is never negative.
 *
 * @throws {RangeError} when the amount is not a number of cents above zero
 */
export function postMovement({ kind, amount }: Movement, funds: Funds): PostedMovement {
  if (!Number.isSafeInteger(amount) || amount <= 0) {
    throw new RangeError(`a movement is a number of cents above zero, not ${amount}`);
  }
  const dollars = decimal(amount).dividedBy(100);
  if (funds.owed.lessThan(ZERO)) throw new RangeError(`owed are ${formatMoney(funds.owed)}`);
  return BRINGS[kind] ? bring(dollars, funds) : take(dollars, funds);
}

function bring(dollars: Decimal, { freeCash, owed }: Funds): PostedMovement {
  const paid = lesser(dollars, owed);
  const kept = dollars.minus(paid);
  return {
    entries: entriesOf(kept, paid, dollars.negated()),
    funds: { freeCash: freeCash.plus(kept), owed: owed.minus(paid) },
  };
}

function take(dollars: Decimal, { freeCash, owed }: Funds): PostedMovement {
  const taken = lesser(dollars, freeCash.greaterThan(ZERO) ? freeCash : ZERO);
  const missing = dollars.minus(taken);
  return {
    entries: entriesOf(taken.negated(), missing.negated(), dollars),
    funds: { freeCash: freeCash.minus(taken), owed: owed.plus(missing) },
  };
}

function entriesOf(cash: Decimal, payable: Decimal, equity: Decimal): readonly LedgerEntry[] {
  const entries: LedgerEntry[] = [
    { ledger: 'cash', amount: cash },
    { ledger: 'payable', amount: payable },
    { ledger: 'equity', amount: equity },
  ];
  return entries.filter(({ amount }) => !amount.isZero());
}

function lesser(a: Decimal, b: Decimal): Decimal {
  return a.lessThan(b) ? a : b;
}
