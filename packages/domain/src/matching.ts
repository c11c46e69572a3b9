import { type Decimal, ZERO } from './decimal.ts';
import type { OrderSide, OrderTerms, TimeInForce } from './order.ts';
import type { Quote } from './quote.ts';
import { isTradingDayOver } from './trading-day.ts';

/** What the paper broker needs to know of an order, on its first or any later try. */
export type MatchableOrder = OrderTerms & {
  readonly symbol: string;
  readonly side: OrderSide;
  readonly quantity: Decimal;
  readonly filledQuantity: Decimal;
  readonly timeInForce: TimeInForce;
  readonly createdAt: Date;
};

/**
 * What happens to an order at a quote. Only a fill has a quantity and a price, and it also says what becomes
 * of the remainder:
 *
 * - `none`: there is none, the order is filled
 * - `rest`: it stays open, to be tried again
 * - `cancel`: it is canceled
 *
 * Without a fill the order rests, is canceled or expires as it is. A fill never leaves an order to expire: a
 * day that is over is noticed before anything is filled.
 */
export type Decision =
  | {
      readonly action: 'fill';
      /** Shares, above zero and at most what remained. */
      readonly quantity: Decimal;
      /** Dollars a share. */
      readonly price: Decimal;
      readonly remainder: 'none' | 'rest' | 'cancel';
    }
  | { readonly action: 'rest' }
  | { readonly action: 'cancel' }
  | { readonly action: 'expire' };

/** The side of the book that an order takes from. */
function offered(side: OrderSide, quote: Quote): { price: Decimal; size: Decimal } {
  return side === 'buy'
    ? { price: quote.ask, size: quote.askSize }
    : { price: quote.bid, size: quote.bidSize };
}

function accepts(order: MatchableOrder, price: Decimal): boolean {
  if (order.type === 'market') {
    return true;
  }
  return order.side === 'buy'
    ? price.lessThanOrEqualTo(order.limitPrice)
    : price.greaterThanOrEqualTo(order.limitPrice);
}

/** How much trades now: zero when the limit forbids it or that side of the book is empty. */
function executable(
  order: MatchableOrder,
  remaining: Decimal,
  price: Decimal,
  size: Decimal,
): Decimal {
  // A live feed shows an empty side of the book as a price of zero; nobody sells at that.
  if (!price.greaterThan(ZERO) || !accepts(order, price)) {
    return ZERO;
  }
  return size.lessThan(remaining) ? size : remaining;
}

/**
 * The paper broker's rule. A buy takes the ask and a sell the bid, at the quote's price even when the limit
 * would allow a worse one, up to the displayed size. A `day` order whose UTC date is over expires untried.
 *
 * @throws {RangeError} when nothing remains to be filled, or the quote is of another symbol
 */
export function match(order: MatchableOrder, quote: Quote, at: Date): Decision {
  if (quote.symbol !== order.symbol) {
    throw new RangeError(`a quote of ${quote.symbol} cannot fill an order for ${order.symbol}`);
  }
  const remaining = order.quantity.minus(order.filledQuantity);
  if (!remaining.greaterThan(ZERO)) {
    throw new RangeError('nothing of this order remains to be filled');
  }
  if (order.timeInForce === 'day' && isTradingDayOver(order.createdAt, at)) {
    return { action: 'expire' };
  }

  const { price, size } = offered(order.side, quote);
  const quantity = executable(order, remaining, price, size);
  if (quantity.equals(remaining)) {
    return { action: 'fill', quantity, price, remainder: 'none' };
  }
  const some = quantity.greaterThan(ZERO);
  switch (order.timeInForce) {
    case 'day':
    case 'gtc':
      return some ? { action: 'fill', quantity, price, remainder: 'rest' } : { action: 'rest' };
    case 'ioc':
      return some ? { action: 'fill', quantity, price, remainder: 'cancel' } : { action: 'cancel' };
    case 'fok':
      return { action: 'cancel' };
  }
}
