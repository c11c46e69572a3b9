import type { TradeBooks } from '@gatehouse/db/trade-books';
import type { OrderStatus } from '@gatehouse/domain/order';
import type { Quote } from '@gatehouse/domain/quote';
import { carryOut, entryOf, type Trade } from './carry-out.ts';
import { availableFor, hold, release } from './cover.ts';
import { planOrder } from './plan.ts';

export interface TradeRequest {
  orderId: string;
  accountId: string;
  /** Asked for before the transaction: a quote may take a while to come, and the books are locked in there. */
  quote: Quote;
  at: Date;
  /** The order is left alone unless it is in one of these. */
  from: readonly OrderStatus[];
  /** What a confirmation is traced back to. */
  requestId: string | null;
}

/**
 * The paper broker: takes an order as far as a quote lets it, and brings the books to where the next trade finds
 * them. Null when the order stays as it is. Nothing is written here.
 *
 * @throws when a broker outside has the order, or may have it: whoever tries again finds the way to that
 */
export function tradeOrder(books: TradeBooks, request: TradeRequest): Trade | null {
  const { quote, at, from, requestId } = request;
  const { order, book } = entryOf(books, request);
  if (!from.includes(order.status)) return null;
  if (order.broker !== null && order.broker !== 'paper') {
    throw new Error(`order ${order.id} was taken to ${order.broker} meanwhile`);
  }
  release(book, order);
  const plan = planOrder(order, quote, at, availableFor(book, order));
  hold(book, order);
  return carryOut(books, order, {
    plan,
    // Counted, not random: should two transactions ever fill the same order from the same state, one of them fails.
    executionId: `${order.id}-${order.fills.length + 1}`,
    takenAs: { broker: 'paper', brokerOrderId: `paper-${order.id}` },
    at,
    requestId,
  });
}
