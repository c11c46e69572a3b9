import type { StoredOrder } from '@gatehouse/db/orders';
import { type AccountBook, type PositionBook, positionKey } from '@gatehouse/db/trade-books';
import { buyingPower } from '@gatehouse/domain/buying-power';
import { type Decimal, roundCost } from '@gatehouse/domain/decimal';
import { isOpen } from '@gatehouse/domain/order';

export function positionOf(book: AccountBook, order: StoredOrder): PositionBook {
  const position = book.positions.get(positionKey(order));
  if (position === undefined) throw new Error(`the books do not cover order ${order.id}`);
  return position;
}

/** What an order can use beside the account's other orders: dollars for a buy, not below zero, shares for a sell. */
export function availableFor(book: AccountBook, order: StoredOrder): Decimal {
  if (order.side === 'buy') return buyingPower(book);
  const { position, heldQuantity } = positionOf(book, order);
  return position.quantity.minus(heldQuantity);
}

/**
 * Has an order that a broker has, or may have, hold what it still needs. Without effect for one that is over, or that
 * was not taken to a broker yet. `sumHolds` reckons the same from the rows.
 */
export function hold(book: AccountBook, order: StoredOrder): void {
  changeHold(book, order, (held, own) => held.plus(own));
}

/** Frees what `hold` has the order hold. */
export function release(book: AccountBook, order: StoredOrder): void {
  changeHold(book, order, (held, own) => held.minus(own));
}

function changeHold(
  book: AccountBook,
  order: StoredOrder,
  change: (held: Decimal, own: Decimal) => Decimal,
): void {
  if (order.broker === null || !isOpen(order.status)) return;
  const remaining = order.quantity.minus(order.filledQuantity);
  if (order.side === 'sell') {
    const position = positionOf(book, order);
    position.heldQuantity = change(position.heldQuantity, remaining);
    return;
  }
  const price = order.limitPrice ?? order.holdPrice ?? order.averageFillPrice;
  // At the paper broker a market order rests only after a first fill, and then has an average price.
  if (price === null) throw new Error(`order ${order.id} has no price to hold cash at`);
  book.heldCash = change(book.heldCash, roundCost(remaining.times(price)));
}
