import type { NewLedgerTransaction } from '@gatehouse/db/ledger';
import type { NewFill, OrderWithFills } from '@gatehouse/db/orders';
import type { AccountBook, TradeBooks } from '@gatehouse/db/trade-books';
import { newId } from '@gatehouse/domain/id';
import { type OrderStatus, REJECT_REASONS, transition } from '@gatehouse/domain/order';
import type { Quote } from '@gatehouse/domain/quote';
import { averagePrice, type Execution, settleFill } from '@gatehouse/domain/settlement';
import { availableFor, hold, positionOf, release } from './cover.ts';
import { type Plan, planOrder } from './plan.ts';

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

/** What became of an order. */
export interface Trade {
  request: TradeRequest;
  order: OrderWithFills;
  fill: NewFill | null;
  ledgerTransaction: NewLedgerTransaction | null;
}

/**
 * The paper broker: takes an order as far as a quote lets it, and brings the books to where the next trade finds
 * them. Null when the order stays as it is. Nothing is written here.
 */
export function tradeOrder(books: TradeBooks, request: TradeRequest): Trade | null {
  const { orderId, accountId, quote, at, from } = request;
  const order = books.orders.get(orderId);
  const book = books.accounts.get(accountId);
  if (order === undefined || book === undefined || order.accountId !== accountId) {
    throw new Error(`account ${accountId} has no order ${orderId}`);
  }
  if (!from.includes(order.status)) return null;

  release(book, order);
  const plan = planOrder(order, quote, at, availableFor(book, order));
  const status = plan.path.reduce<OrderStatus>(transition, order.status);
  const filled = plan.fill && settle(book, order, plan.fill, at);
  const next = { ...order, ...changeOf(plan, status, orderId, at), ...filled?.change };
  hold(book, next);
  if (status === order.status && filled === null) return null;
  books.orders.set(orderId, next);
  return {
    request,
    order: next,
    fill: filled?.fill ?? null,
    ledgerTransaction: filled?.ledgerTransaction ?? null,
  };
}

function settle(book: AccountBook, order: OrderWithFills, execution: Execution, at: Date) {
  const { accountId } = order;
  const { quantity, price } = execution;
  const held = positionOf(book, order);
  const { position, entries, cashDelta } = settleFill(held.position, {
    side: order.side,
    quantity,
    price,
  });
  held.position = position;
  book.cash = book.cash.plus(cashDelta);
  const fill: NewFill = {
    id: newId(),
    orderId: order.id,
    accountId,
    // Counted, not random: should two transactions ever fill the same order from the same state, one of them fails.
    executionId: `${order.id}-${order.fills.length + 1}`,
    quantity,
    price,
    executedAt: at,
  };
  const fills = [...order.fills, fill];
  return {
    fill,
    ledgerTransaction: { accountId, kind: 'fill' as const, referenceId: fill.id, entries, at },
    change: {
      fills,
      filledQuantity: order.filledQuantity.plus(quantity),
      averageFillPrice: averagePrice(fills),
    },
  };
}

function changeOf(plan: Plan, status: OrderStatus, orderId: string, at: Date) {
  return {
    status,
    ...(plan.path.includes('submitted') && {
      submittedAt: at,
      broker: 'paper',
      brokerOrderId: `paper-${orderId}`,
    }),
    ...(status === 'filled' && { filledAt: at }),
    ...(status === 'canceled' && { canceledAt: at }),
    ...(plan.rejectCode && {
      rejectCode: plan.rejectCode,
      rejectReason: REJECT_REASONS[plan.rejectCode],
    }),
  };
}
