import type { StoredOrder } from '@gatehouse/db/orders';
import { type Decimal, roundCost, ZERO } from '@gatehouse/domain/decimal';
import { type Decision, type MatchableOrder, match } from '@gatehouse/domain/matching';
import { type OrderStatus, orderTerms, type RejectCode } from '@gatehouse/domain/order';
import type { Quote } from '@gatehouse/domain/quote';
import { type Execution, requiredCash } from '@gatehouse/domain/settlement';

/** What is to become of an order. */
export interface Plan {
  /** The statuses that it goes through, in order; none when it stays as it is. */
  path: readonly OrderStatus[];
  fill: Execution | null;
  rejectCode: RejectCode | null;
}

export const STAYS: Plan = { path: [], fill: null, rejectCode: null };

export function toMatchable(order: StoredOrder): MatchableOrder {
  const { symbol, side, quantity, filledQuantity, timeInForce, createdAt } = order;
  const terms = orderTerms(order.type, order.limitPrice);
  return { ...terms, symbol, side, quantity, filledQuantity, timeInForce, createdAt };
}

/**
 * What the paper broker does with an order that is accepted or resting.
 *
 * @param available what the account can spend on it beside its other orders: dollars for a buy, shares for a sell
 */
export function planOrder(order: StoredOrder, quote: Quote, at: Date, available: Decimal): Plan {
  if (order.cancelRequestedAt !== null) return { ...STAYS, path: ['canceled'] };
  const isArriving = order.status === 'accepted';
  const decision = match(toMatchable(order), quote, at);
  if (decision.action === 'expire') return { ...STAYS, path: ['expired'] };

  const needed = isArriving ? toAccept(order, decision, quote) : toFill(order, decision);
  if (needed.greaterThan(available)) {
    // The owner was told that a resting order stands: it is not rejected any more, only ended.
    return isArriving
      ? { ...STAYS, path: ['rejected'], rejectCode: shortOf(order) }
      : { ...STAYS, path: ['canceled'] };
  }
  return follow(decision, isArriving ? ['submitted'] : []);
}

function follow(
  decision: Exclude<Decision, { action: 'expire' }>,
  before: readonly OrderStatus[],
): Plan {
  switch (decision.action) {
    case 'rest':
      return { ...STAYS, path: before };
    case 'cancel':
      return { ...STAYS, path: [...before, 'canceled'] };
    case 'fill':
      return { ...STAYS, path: [...before, ...AFTER_FILL[decision.remainder]], fill: decision };
  }
}

const AFTER_FILL = {
  none: ['filled'],
  rest: ['partially_filled'],
  cancel: ['partially_filled', 'canceled'],
} as const satisfies Record<string, readonly OrderStatus[]>;

/** Why an order is rejected that the account does not cover. */
export function shortOf(order: StoredOrder): RejectCode {
  return order.side === 'buy' ? 'insufficient_funds' : 'insufficient_position';
}

/** What an order must be covered for when it arrives: all of it that trades now or will rest. */
function toAccept(order: StoredOrder, decision: Decision, quote: Quote): Decimal {
  if (order.side === 'sell') return order.quantity;
  const filled = decision.action === 'fill' ? decision.quantity : ZERO;
  const rests =
    decision.action === 'rest' || (decision.action === 'fill' && decision.remainder === 'rest');
  const price = decision.action === 'fill' ? decision.price : quote.last;
  const terms = orderTerms(order.type, order.limitPrice);
  const hold = rests ? requiredCash(order.quantity.minus(filled), terms, price) : ZERO;
  return toFill(order, decision).plus(hold);
}

/** What a fill takes. */
function toFill(order: StoredOrder, decision: Decision): Decimal {
  if (decision.action !== 'fill') return ZERO;
  const { quantity, price } = decision;
  return order.side === 'buy' ? roundCost(quantity.times(price)) : quantity;
}
