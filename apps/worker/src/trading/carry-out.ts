import type { NewLedgerTransaction } from '@gatehouse/db/ledger';
import type { NewFill, OrderWithFills } from '@gatehouse/db/orders';
import type { AccountBook, TradeBooks } from '@gatehouse/db/trade-books';
import { formatMoney } from '@gatehouse/domain/decimal';
import { newId } from '@gatehouse/domain/id';
import { type OrderStatus, REJECT_REASONS, transition } from '@gatehouse/domain/order';
import { averagePrice, bookFill, type Execution, settleFill } from '@gatehouse/domain/settlement';
import { hold, positionOf, release } from './cover.ts';
import type { Plan } from './plan.ts';

/** A plan, and what else is known of it. */
export interface Step {
  plan: Plan;
  /** Of the fill, when there is one. A second fill under the same id is refused by the database. */
  executionId: string;
  /** Who has the order once it is submitted, and under which id. */
  takenAs: Pick<OrderWithFills, 'broker' | 'brokerOrderId'>;
  at: Date;
  /** What a confirmation, and an event, are traced back to. */
  requestId: string | null;
}

/** For plans that neither submit nor fill. */
export const NOT_TAKEN: Pick<Step, 'executionId' | 'takenAs'> = {
  executionId: '',
  takenAs: { broker: null, brokerOrderId: null },
};

/** What became of an order. */
export interface Trade {
  order: OrderWithFills;
  fill: NewFill | null;
  ledgerTransaction: NewLedgerTransaction | null;
  at: Date;
  requestId: string | null;
}

/** An order of the books with its account's page. @throws when the account has no such order */
export function entryOf(
  books: TradeBooks,
  { orderId, accountId }: { orderId: string; accountId: string },
): { order: OrderWithFills; book: AccountBook } {
  const order = books.orders.get(orderId);
  const book = books.accounts.get(accountId);
  if (order === undefined || book === undefined || order.accountId !== accountId) {
    throw new Error(`account ${accountId} has no order ${orderId}`);
  }
  return { order, book };
}

/**
 * Takes an order through a plan, and brings the books to where the next trade finds them. Null when the order stays
 * as it is. Nothing is written here.
 *
 * A fill that a broker outside reports has happened: what the account's cash does not cover, it owes.
 *
 * @throws {IllegalTransition}
 * @throws {Oversold}
 * @throws when a fill of the paper broker costs more than the account has
 */
export function carryOut(books: TradeBooks, order: OrderWithFills, step: Step): Trade | null {
  const { plan, at, requestId } = step;
  if (plan.path.length === 0 && plan.fill === null) return null;
  const { book } = entryOf(books, { orderId: order.id, accountId: order.accountId });
  release(book, order);
  const status = plan.path.reduce<OrderStatus>(transition, order.status);
  const filled = plan.fill && settle(book, order, plan.fill, step);
  const next = {
    ...order,
    ...changeOf(step, status),
    ...filled?.change,
    version: order.version + 1,
  };
  hold(book, next);
  books.orders.set(order.id, next);
  return {
    order: next,
    fill: filled?.fill ?? null,
    ledgerTransaction: filled?.ledgerTransaction ?? null,
    at,
    requestId,
  };
}

function settle(
  book: AccountBook,
  order: OrderWithFills,
  { quantity, price }: Execution,
  { at, executionId, takenAs, requestId }: Step,
) {
  const { accountId } = order;
  const held = positionOf(book, order);
  const settlement = settleFill(held.position, { side: order.side, quantity, price });
  const booked = bookFill(settlement, book);
  const lent = booked.owed.minus(book.owed);
  // Its fills are ours to make, and it makes none that is not covered.
  if (takenAs.broker === 'paper' && !lent.isZero()) {
    throw new Error(`order ${order.id} costs $${formatMoney(lent)} more than there is`);
  }
  const { entries } = booked;
  held.position = settlement.position;
  book.cash = booked.cash;
  book.owed = booked.owed;
  const fill: NewFill = {
    id: newId(),
    orderId: order.id,
    accountId,
    executionId,
    quantity,
    price,
    executedAt: at,
  };
  const fills = [...order.fills, fill];
  return {
    fill,
    ledgerTransaction: {
      accountId,
      kind: 'fill' as const,
      referenceId: fill.id,
      entries,
      at,
      requestId,
    },
    change: {
      fills,
      filledQuantity: order.filledQuantity.plus(quantity),
      averageFillPrice: averagePrice(fills),
    },
  };
}

function changeOf({ plan, takenAs, at }: Step, status: OrderStatus) {
  return {
    status,
    ...(plan.path.includes('submitted') && { submittedAt: at, ...takenAs }),
    ...(status === 'filled' && { filledAt: at }),
    ...(status === 'canceled' && { canceledAt: at }),
    ...(plan.rejectCode && {
      rejectCode: plan.rejectCode,
      rejectReason: REJECT_REASONS[plan.rejectCode],
    }),
  };
}
