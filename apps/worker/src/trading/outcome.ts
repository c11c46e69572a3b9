import type { StoredFill, StoredOrder } from '@gatehouse/db/orders';
import type { BrokerOrder } from '@gatehouse/domain/broker';
import { type Decimal, decimal, roundHalfUp, ZERO } from '@gatehouse/domain/decimal';
import { IllegalTransition, isTerminal, type OrderStatus } from '@gatehouse/domain/order';
import { type Plan, STAYS } from './plan.ts';

/** What came of asking a broker outside about an order. */
export type Outcome =
  | { kind: 'reported'; report: BrokerOrder }
  /** It will not have the order. */
  | { kind: 'refused' }
  /** Nobody knows, for now. */
  | { kind: 'unknown' };

export const UNKNOWN: Outcome = { kind: 'unknown' };

/** The order, with as much of its fills as tells what was paid so far. */
export type ReportedOrder = StoredOrder & {
  fills: readonly Pick<StoredFill, 'quantity' | 'price'>[];
};

/**
 * What an outcome makes of an order, as far as it says more than is known.
 *
 * @throws {IllegalTransition} when it contradicts what is known
 */
export function planOutcome(order: ReportedOrder, outcome: Outcome): Plan {
  switch (outcome.kind) {
    case 'reported':
      return planReport(order, outcome.report);
    case 'refused':
      return { ...STAYS, path: ['rejected'], rejectCode: 'broker_rejected' };
    case 'unknown':
      return order.status === 'accepted' ? { ...STAYS, path: ['unknown'] } : STAYS;
  }
}

/** A report that comes twice, or is older than what is known, changes nothing. */
function planReport(order: ReportedOrder, report: BrokerOrder): Plan {
  assertSameOrder(order, report);
  const delta = report.filledQuantity.minus(order.filledQuantity);
  if (delta.lessThan(ZERO)) return STAYS;
  if (delta.isZero() && isTerminal(order.status)) return STAYS;

  const path = pathOf(order, report);
  return {
    path,
    fill: delta.isZero() ? null : { quantity: delta, price: priceOfRest(order, report) },
    rejectCode: path.at(-1) === 'rejected' ? 'broker_rejected' : null,
  };
}

function assertSameOrder(order: ReportedOrder, report: BrokerOrder): void {
  const { id, clientOrderId } = report;
  if (clientOrderId !== order.id || (order.brokerOrderId ?? id) !== id) {
    throw new Error(`${order.broker}'s order ${id} is not order ${order.id}`);
  }
  if (report.filledQuantity.greaterThan(order.quantity)) {
    throw new Error(`${order.broker} has filled more of order ${order.id} than was ordered`);
  }
}

/** The statuses that a report leads through. All of the quantity is `filled`, whatever the broker calls it. */
function pathOf(order: ReportedOrder, { filledQuantity, status }: BrokerOrder): OrderStatus[] {
  const isArriving = order.status === 'accepted' || order.status === 'unknown';
  const path: OrderStatus[] = isArriving ? ['submitted'] : [];
  if (filledQuantity.equals(order.quantity)) return [...path, 'filled'];
  if (status === 'filled') throw new IllegalTransition(order.status, 'filled');
  const known = isArriving ? ZERO : order.filledQuantity;
  if (filledQuantity.greaterThan(known)) path.push('partially_filled');
  if (status !== 'open') path.push(status);
  return path;
}

/** The least that a price can be. */
const LEAST_PRICE = decimal('0.0001');

/**
 * Dollars a share, to 4 decimals, of what was filled since the last look: what the broker says was paid in all, less
 * what our fills say was paid so far. What is lost to rounding is thereby made up by the next fill.
 *
 * Never worse than the limit: what the rounded average of a large order says about a small part of it may be.
 */
function priceOfRest(order: ReportedOrder, report: BrokerOrder): Decimal {
  if (report.averageFillPrice === null) {
    throw new Error(
      `${order.broker} says that order ${order.id} is filled, and not at which price`,
    );
  }
  const paidInAll = report.averageFillPrice.times(report.filledQuantity);
  const paid = order.fills.reduce((sum, fill) => sum.plus(fill.price.times(fill.quantity)), ZERO);
  const quantity = report.filledQuantity.minus(order.filledQuantity);
  const price = roundHalfUp(paidInAll.minus(paid).dividedBy(quantity), 4);
  if (order.limitPrice !== null && isWorse(order, price, order.limitPrice)) return order.limitPrice;
  return price.lessThan(LEAST_PRICE) ? LEAST_PRICE : price;
}

function isWorse({ side }: StoredOrder, price: Decimal, limit: Decimal): boolean {
  return side === 'buy' ? price.greaterThan(limit) : price.lessThan(limit);
}

/** Distinct for each state of an order's fills: what is reported twice has the same, and is stored once. */
export function executionIdOf(broker: string, { id, filledQuantity }: BrokerOrder): string {
  return `${broker}-${id}-${filledQuantity.toFixed()}`;
}
