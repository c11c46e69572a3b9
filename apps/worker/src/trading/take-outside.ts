import type { Database } from '@gatehouse/db/client';
import { type OrderRoute, type StoredOrder, saveOrders } from '@gatehouse/db/orders';
import { openTradeBooks } from '@gatehouse/db/trade-books';
import { transaction } from '@gatehouse/db/transaction';
import type { Broker } from '@gatehouse/domain/broker';
import { type Decimal, decimal, roundCost, ZERO } from '@gatehouse/domain/decimal';
import type { QuoteSource } from '@gatehouse/domain/quote';
import { isTradingDayOver } from '@gatehouse/domain/trading-day';
import type { JobLedger } from '@gatehouse/jobs/ledger';
import { NotYet } from '../not-yet.ts';
import { carryOut, entryOf, NOT_TAKEN } from './carry-out.ts';
import { availableFor } from './cover.ts';
import { type Plan, STAYS, shortOf } from './plan.ts';
import { writeTrades } from './write-trades.ts';

/** A market order is reckoned with five percent above what is asked: it fills at a price that nobody knows yet. */
const MARKET_MARGIN = decimal('1.05');
const NO_PRICE_RETRY_MS = 5_000;

/**
 * Dollars a share that a market order to buy is to be reckoned with; null for all other orders.
 *
 * @throws {NotYet} when the market shows no price
 */
export async function priceToHold(
  quotes: QuoteSource,
  { symbol, side, type }: OrderRoute,
  at: Date,
): Promise<Decimal | null> {
  if (side === 'sell' || type === 'limit') return null;
  const { ask, last } = await quotes.quote(symbol, at);
  // A live feed shows an empty side of the book as a price of zero.
  const price = ask.greaterThan(ZERO) ? ask : last;
  if (!price.greaterThan(ZERO)) throw new NotYet(`${symbol} has no price`, NO_PRICE_RETRY_MS);
  // Rounded up to the four decimals that a price has.
  return price.times(MARKET_MARGIN).times(10_000).ceil().dividedBy(10_000);
}

export interface Taking {
  orderId: string;
  accountId: string;
  broker: Broker;
  holdPrice: Decimal | null;
  at: Date;
  requestId: string | null;
}

/** An order that the broker may have from now on. */
export interface Taken {
  order: StoredOrder;
  /** False when an earlier run has written the intent: whether it came to ask the broker, nobody knows. */
  isFirst: boolean;
}

/**
 * Writes down that an accepted order is about to be taken to a broker outside, and has it hold what it may cost, in a
 * transaction of its own: before the call, so that a process that dies in the middle leaves word of it.
 *
 * Null when there is nothing to take: the order is over already, or now, since it is to be canceled or not covered.
 */
export async function takeOutside(
  db: Database,
  ledger: JobLedger,
  taking: Taking,
): Promise<Taken | null> {
  const { broker, holdPrice, at, requestId } = taking;
  return transaction(db, async (tx) => {
    const books = await openTradeBooks(tx, [taking]);
    const { order, book } = entryOf(books, taking);
    if (order.status !== 'accepted') return null;
    if (order.broker !== null) return { order, isFirst: false };
    const intent = { ...order, broker: broker.name, holdPrice, version: order.version + 1 };
    const plan = planTaking(intent, availableFor(book, order), at);
    if (plan.path.length === 0) {
      await saveOrders(tx, [intent], at);
      return { order: intent, isFirst: true };
    }
    const trade = carryOut(books, order, { ...NOT_TAKEN, plan, at, requestId });
    await writeTrades(tx, ledger, books, trade === null ? [] : [trade]);
    return null;
  });
}

/** What keeps an order from being taken to a broker; nothing in most cases. */
function planTaking(order: StoredOrder, available: Decimal, at: Date): Plan {
  if (order.cancelRequestedAt !== null) return { ...STAYS, path: ['canceled'] };
  if (order.timeInForce === 'day' && isTradingDayOver(order.createdAt, at)) {
    return { ...STAYS, path: ['expired'] };
  }
  return needs(order).greaterThan(available)
    ? { ...STAYS, path: ['rejected'], rejectCode: shortOf(order) }
    : STAYS;
}

/** Dollars for a buy, shares for a sell. */
function needs({ id, side, quantity, limitPrice, holdPrice }: StoredOrder): Decimal {
  if (side === 'sell') return quantity;
  const price = limitPrice ?? holdPrice;
  if (price === null) throw new Error(`order ${id} has no price to hold cash at`);
  return roundCost(quantity.times(price));
}
