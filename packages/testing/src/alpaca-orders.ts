import { randomUUID } from 'node:crypto';
import {
  type Decimal,
  decimal,
  formatMoney,
  formatQuantity,
  roundHalfUp,
  ZERO,
} from '@gatehouse/domain/decimal';

export interface FakeOrder extends Submission {
  readonly id: string;
  readonly createdAt: string;
  filledQuantity: Decimal;
  averagePrice: Decimal | null;
  /** As Alpaca calls it. */
  status: string;
}

interface Submission {
  readonly clientOrderId: string;
  readonly symbol: string;
  readonly side: 'buy' | 'sell';
  readonly type: 'market' | 'limit';
  readonly timeInForce: string;
  readonly quantity: Decimal;
  readonly limitPrice: Decimal | null;
}

export interface Prices {
  readonly bid: Decimal;
  readonly ask: Decimal;
}

/** As many as Alpaca is seen to give of an average. */
const PRICE_DECIMALS = 6;
const TIMES_IN_FORCE = ['day', 'gtc', 'ioc', 'fok'];

/** @throws with what Alpaca would say of a body that it cannot take */
export function readSubmission(body: unknown): Submission {
  const { side, type, time_in_force: timeInForce, ...rest } = Object(body);
  if (side !== 'buy' && side !== 'sell') throw new Error('invalid side');
  if (type !== 'market' && type !== 'limit') throw new Error('invalid order type');
  if (!TIMES_IN_FORCE.includes(timeInForce)) throw new Error('invalid time_in_force');
  const { symbol, client_order_id: clientOrderId, qty, limit_price: limitPrice } = rest;
  if (typeof symbol !== 'string' || !/^[A-Z.]+$/.test(symbol)) throw new Error('invalid symbol');
  if (typeof clientOrderId !== 'string' || clientOrderId === '' || clientOrderId.length > 128) {
    throw new Error('client_order_id must be no more than 128 characters');
  }
  if (typeof qty !== 'string' || !decimal(qty).gt(ZERO)) throw new Error('qty must be > 0');
  if ((type === 'limit') !== (typeof limitPrice === 'string')) {
    throw new Error(type === 'limit' ? 'limit orders require a limit price' : 'no limit price');
  }
  const quantity = decimal(qty);
  if (!quantity.isInteger() && timeInForce !== 'day') {
    throw new Error('fractional orders must be DAY orders');
  }
  return {
    clientOrderId,
    symbol,
    side,
    type,
    timeInForce,
    quantity,
    limitPrice: type === 'limit' ? decimal(limitPrice) : null,
  };
}

export function newOrder(submission: Submission): FakeOrder {
  return {
    ...submission,
    id: randomUUID(),
    createdAt: new Date().toISOString(),
    filledQuantity: ZERO,
    averagePrice: null,
    status: 'new',
  };
}

export function isOpen({ status }: FakeOrder): boolean {
  return status === 'new' || status === 'partially_filled';
}

/** Fills the order at the market, if it can be; an order that must be filled at once and is not, is canceled. */
export function match(order: FakeOrder, { bid, ask }: Prices): void {
  const price = order.side === 'buy' ? ask : bid;
  const { limitPrice } = order;
  const isMarketable =
    limitPrice === null || (order.side === 'buy' ? limitPrice.gte(price) : limitPrice.lte(price));
  if (isMarketable) fillOrder(order, order.quantity, price);
  else if (order.timeInForce === 'ioc' || order.timeInForce === 'fok') order.status = 'canceled';
}

/** @throws when the order is over, or has less left */
export function fillOrder(order: FakeOrder, quantity: Decimal, price: Decimal): void {
  const filled = order.filledQuantity.plus(quantity);
  if (!isOpen(order)) throw new Error(`order ${order.clientOrderId} is ${order.status}`);
  if (!quantity.gt(ZERO) || filled.gt(order.quantity)) {
    throw new Error(`order ${order.clientOrderId} of ${order.quantity} cannot be filled ${filled}`);
  }
  const paid = order.filledQuantity.times(order.averagePrice ?? ZERO).plus(quantity.times(price));
  order.averagePrice = roundHalfUp(paid.dividedBy(filled), PRICE_DECIMALS);
  order.filledQuantity = filled;
  order.status = filled.eq(order.quantity) ? 'filled' : 'partially_filled';
}

/** The order as the Trading API shows it, with fields that nobody asks for, as there. */
export function orderBody(order: FakeOrder) {
  return {
    id: order.id,
    client_order_id: order.clientOrderId,
    created_at: order.createdAt,
    submitted_at: order.createdAt,
    asset_class: 'us_equity',
    symbol: order.symbol,
    notional: null,
    qty: formatQuantity(order.quantity),
    filled_qty: formatQuantity(order.filledQuantity),
    filled_avg_price: order.averagePrice === null ? null : formatMoney(order.averagePrice),
    order_class: '',
    order_type: order.type,
    type: order.type,
    side: order.side,
    time_in_force: order.timeInForce,
    limit_price: order.limitPrice === null ? null : formatMoney(order.limitPrice),
    status: order.status,
    extended_hours: false,
    legs: null,
  };
}
