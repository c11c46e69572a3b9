import { type Decimal, formatMoney, ZERO } from './decimal.ts';

/**
 * The ledgers of an account. `cash` and `securities` (at cost) are assets, increased by positive amounts. `realized_pnl`
 * is income and `equity` is what was put in, both increased by negative ones, and so is `payable`, what its owner
 * owes us: ours to receive, and in his books a debt.
 */
export const LEDGER_NAMES = ['cash', 'securities', 'realized_pnl', 'equity', 'payable'] as const;
export type LedgerName = (typeof LEDGER_NAMES)[number];

export interface LedgerEntry {
  readonly ledger: LedgerName;
  /** Dollars, in whole cents. */
  readonly amount: Decimal;
}

export class UnbalancedEntries extends Error {
  override readonly name = 'UnbalancedEntries';

  constructor(sum: Decimal) {
    super(`the entries of a transaction add up to ${formatMoney(sum)}, not to zero`);
  }
}

/** @throws {UnbalancedEntries} when the entries of one transaction do not add up to exactly zero */
export function assertBalanced(entries: readonly LedgerEntry[]): void {
  const sum = entries.reduce((total, entry) => total.plus(entry.amount), ZERO);
  if (!sum.isZero()) {
    throw new UnbalancedEntries(sum);
  }
}

/**
 * The entries of the cash that a new paper account starts with, in dollars.
 *
 * @throws {RangeError} when the amount is negative or not whole cents
 */
export function paperGrant(amount: Decimal): readonly LedgerEntry[] {
  if (amount.lessThan(ZERO) || amount.decimalPlaces() > 2) {
    throw new RangeError(`a grant is a number of cents, not ${formatMoney(amount)}`);
  }
  return [
    { ledger: 'cash', amount },
    { ledger: 'equity', amount: amount.negated() },
  ];
}
