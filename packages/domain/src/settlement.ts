import type { AccountMoney } from './buying-power.ts';
import {
  type Decimal,
  formatQuantity,
  roundCost,
  roundHalfUp,
  roundProceeds,
  ZERO,
} from './decimal.ts';
import { assertBalanced, type LedgerEntry } from './ledger.ts';
import type { OrderSide, OrderTerms } from './order.ts';

/** What an account holds of one symbol. Quantity in shares, money in dollars and whole cents. */
export interface Position {
  readonly quantity: Decimal;
  /** What the shares still held cost; always equals the position's sum in the `securities` ledger. */
  readonly costBasis: Decimal;
  /** Profit, or loss when negative, of the shares sold so far. */
  readonly realizedPnl: Decimal;
}

export interface Execution {
  /** Shares. */
  readonly quantity: Decimal;
  /** Dollars a share. */
  readonly price: Decimal;
}

export interface Fill extends Execution {
  readonly side: OrderSide;
}

/** The whole effect of one fill. */
export interface Settlement {
  readonly position: Position;
  /** Balanced: `cash` and `securities` for a buy, and `realized_pnl` for a sell; an amount may be zero. */
  readonly entries: readonly LedgerEntry[];
  /** The amount of the `cash` entry: negative for a buy, never negative for a sell. */
  readonly cashDelta: Decimal;
}

/** A fill in the books of its account, and what it leaves there, in dollars. */
export interface BookedFill {
  /** Balanced. What the cash does not cover is a `payable`, in place of as much `cash`. */
  readonly entries: readonly LedgerEntry[];
  /** Not negative. */
  readonly cash: Decimal;
  readonly owed: Decimal;
}

export class Oversold extends Error {
  override readonly name = 'Oversold';

  constructor(held: Decimal, sold: Decimal) {
    super(`cannot sell ${formatQuantity(sold)} of ${formatQuantity(held)} held`);
  }
}

const FLAT: Position = { quantity: ZERO, costBasis: ZERO, realizedPnl: ZERO };

/**
 * The effect of a fill on a position (null when there is none yet) and on the ledger.
 *
 * @throws {Oversold} when more is sold than held
 * @throws {RangeError} when the quantity or the price is not above zero
 */
export function settleFill(position: Position | null, fill: Fill): Settlement {
  if (!fill.quantity.greaterThan(ZERO) || !fill.price.greaterThan(ZERO)) {
    throw new RangeError('a fill has a quantity and a price above zero');
  }
  const before = position ?? FLAT;
  const settlement = fill.side === 'buy' ? settleBuy(before, fill) : settleSell(before, fill);
  assertBalanced(settlement.entries);
  return settlement;
}

/**
 * Pays for a fill that has happened, whatever it costs: with cash as far as there is any, also what other orders hold,
 * and the account owes the rest. Proceeds are cash, also for one that owes.
 */
export function bookFill(
  { entries, cashDelta }: Pick<Settlement, 'entries' | 'cashDelta'>,
  { cash, owed }: Pick<AccountMoney, 'cash' | 'owed'>,
): BookedFill {
  const left = cash.plus(cashDelta);
  if (!left.lessThan(ZERO)) return { entries, cash: left, owed };
  const paid: readonly LedgerEntry[] = [
    { ledger: 'cash', amount: cash.negated() },
    { ledger: 'payable', amount: left },
    ...entries.filter(({ ledger }) => ledger !== 'cash'),
  ];
  const booked = paid.filter(({ amount }) => !amount.isZero());
  assertBalanced(booked);
  return { entries: booked, cash: ZERO, owed: owed.minus(left) };
}

function settleBuy(before: Position, fill: Execution): Settlement {
  const cost = roundCost(fill.price.times(fill.quantity));
  const cashDelta = cost.negated();
  return {
    position: {
      quantity: before.quantity.plus(fill.quantity),
      costBasis: before.costBasis.plus(cost),
      realizedPnl: before.realizedPnl,
    },
    entries: [
      { ledger: 'cash', amount: cashDelta },
      { ledger: 'securities', amount: cost },
    ],
    cashDelta,
  };
}

function settleSell(before: Position, fill: Execution): Settlement {
  if (fill.quantity.greaterThan(before.quantity)) {
    throw new Oversold(before.quantity, fill.quantity);
  }
  const proceeds = roundProceeds(fill.price.times(fill.quantity));
  const basis = basisOf(before, fill.quantity);
  const profit = proceeds.minus(basis);
  return {
    position: {
      quantity: before.quantity.minus(fill.quantity),
      costBasis: before.costBasis.minus(basis),
      realizedPnl: before.realizedPnl.plus(profit),
    },
    entries: [
      { ledger: 'cash', amount: proceeds },
      { ledger: 'securities', amount: basis.negated() },
      { ledger: 'realized_pnl', amount: profit.negated() },
    ],
    cashDelta: proceeds,
  };
}

/** The part of the cost basis that leaves with the shares sold. The last of them take what is left of it. */
function basisOf(position: Position, sold: Decimal): Decimal {
  if (sold.equals(position.quantity)) {
    return position.costBasis;
  }
  // Multiplied first: a quotient that goes on for ever would otherwise be cut before it is scaled up.
  return roundHalfUp(position.costBasis.times(sold).dividedBy(position.quantity), 2);
}

/**
 * The average price of executions, weighted by quantity, in dollars to 6 decimals (half up); null when there
 * are none.
 */
export function averagePrice(executions: readonly Execution[]): Decimal | null {
  const quantity = executions.reduce((sum, execution) => sum.plus(execution.quantity), ZERO);
  if (quantity.isZero()) {
    return null;
  }
  const paid = executions.reduce(
    (sum, execution) => sum.plus(execution.price.times(execution.quantity)),
    ZERO,
  );
  return roundHalfUp(paid.dividedBy(quantity), 6);
}

/**
 * The cash, in dollars, that the unfilled remainder of an open buy order holds: at its limit, or for a market
 * order at the last known price. An estimate in two ways: a market order may fill at another price, and each
 * of several fills is rounded up on its own; so the cash is checked again at every fill.
 */
export function requiredCash(
  remaining: Decimal,
  terms: OrderTerms,
  lastKnownPrice: Decimal,
): Decimal {
  return roundCost(remaining.times(terms.type === 'limit' ? terms.limitPrice : lastKnownPrice));
}
