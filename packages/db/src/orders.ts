import type { BrokerName } from '@gatehouse/domain/broker';
import { type Decimal, decimal } from '@gatehouse/domain/decimal';
import { OPEN_STATUSES, type OrderStatus } from '@gatehouse/domain/order';
import type { Queryable, Transaction } from './client.ts';
import type { Fill, Order } from './generated/client.ts';
import { type Page, type PageRequest, pageArguments, toPage } from './page.ts';

type Money = 'quantity' | 'limitPrice' | 'filledQuantity' | 'averageFillPrice' | 'holdPrice';

/** An order with exact decimals. */
export interface StoredOrder extends Omit<Order, Money> {
  quantity: Decimal;
  limitPrice: Decimal | null;
  filledQuantity: Decimal;
  averageFillPrice: Decimal | null;
  holdPrice: Decimal | null;
}

export interface StoredFill extends Omit<Fill, 'quantity' | 'price'> {
  quantity: Decimal;
  price: Decimal;
}

function toOrder(row: Order): StoredOrder {
  return {
    ...row,
    quantity: decimal(row.quantity),
    limitPrice: row.limitPrice && decimal(row.limitPrice),
    filledQuantity: decimal(row.filledQuantity),
    averageFillPrice: row.averageFillPrice && decimal(row.averageFillPrice),
    holdPrice: row.holdPrice && decimal(row.holdPrice),
  };
}

function toFill(row: Fill): StoredFill {
  return { ...row, quantity: decimal(row.quantity), price: decimal(row.price) };
}

export interface OrderFilter {
  status?: OrderStatus | undefined;
  symbol?: string | undefined;
}

export async function listOrders(
  db: Queryable,
  accountId: string,
  { status, symbol }: OrderFilter,
  request: PageRequest,
): Promise<Page<StoredOrder>> {
  const { where, ...page } = pageArguments(request);
  const rows = await db.order.findMany({
    ...page,
    where: { ...where, accountId, ...(status && { status }), ...(symbol && { symbol }) },
  });
  return toPage(rows.map(toOrder), request);
}

export type OrderWithFills = StoredOrder & { fills: StoredFill[] };

async function findOne(
  db: Queryable,
  where: { id: string; accountId: string } | { clientOrderId: string; accountId: string },
): Promise<OrderWithFills | null> {
  const row = await db.order.findFirst({
    where,
    include: { fills: { orderBy: { id: 'asc' } } },
  });
  return row && { ...toOrder(row), fills: row.fills.map(toFill) };
}

export function findOrder(
  db: Queryable,
  accountId: string,
  id: string,
): Promise<OrderWithFills | null> {
  return findOne(db, { id, accountId });
}

export function findOrderByClientOrderId(
  db: Queryable,
  accountId: string,
  clientOrderId: string,
): Promise<OrderWithFills | null> {
  return findOne(db, { clientOrderId, accountId });
}

/** What decides where an order, or the wish to cancel it, is to be taken. */
export type OrderRoute = Pick<
  Order,
  'symbol' | 'side' | 'type' | 'status' | 'broker' | 'brokerOrderId'
>;

const ROUTE = {
  symbol: true,
  side: true,
  type: true,
  status: true,
  broker: true,
  brokerOrderId: true,
} as const;

/** Of calls in the same tick Prisma makes one query. Throws when there is no such order. */
export async function readRoute(db: Queryable, id: string): Promise<OrderRoute> {
  return db.order.findUniqueOrThrow({ where: { id }, select: ROUTE });
}

/** Orders with their fills, locked until the transaction ends: what is decided on them is decided on the newest. */
export async function lockOrders(
  tx: Transaction,
  ids: readonly string[],
): Promise<Map<string, OrderWithFills>> {
  await tx.$executeRaw`
    SELECT 1 FROM "order" WHERE id = ANY(${ids}::uuid[]) ORDER BY id FOR NO KEY UPDATE`;
  const rows = await tx.order.findMany({
    where: { id: { in: [...ids] } },
    include: { fills: { orderBy: { id: 'asc' } } },
  });
  return new Map(rows.map((row) => [row.id, { ...toOrder(row), fills: row.fills.map(toFill) }]));
}

/** Writes orders that the transaction has locked, as they are to be, with the version that whoever changed them has given them. */
export async function saveOrders(
  tx: Transaction,
  orders: readonly StoredOrder[],
  at: Date,
): Promise<void> {
  if (orders.length === 0) return;
  await tx.$executeRaw`
    UPDATE "order" SET
      status = input.status, filled_quantity = input.filled_quantity,
      average_fill_price = input.average_fill_price, reject_code = input.reject_code,
      reject_reason = input.reject_reason, broker = input.broker, broker_order_id = input.broker_order_id,
      hold_price = input.hold_price,
      submitted_at = input.submitted_at, filled_at = input.filled_at, canceled_at = input.canceled_at,
      updated_at = ${at}, version = input.version
    FROM unnest(
      ${orders.map((o) => o.id)}::uuid[], ${orders.map((o) => o.status)}::order_status[],
      ${orders.map((o) => o.filledQuantity.toFixed())}::numeric[],
      ${orders.map((o) => o.averageFillPrice?.toFixed() ?? null)}::numeric[],
      ${orders.map((o) => o.rejectCode)}::text[], ${orders.map((o) => o.rejectReason)}::text[],
      ${orders.map((o) => o.broker)}::text[], ${orders.map((o) => o.brokerOrderId)}::text[],
      ${orders.map((o) => o.holdPrice?.toFixed() ?? null)}::numeric[],
      ${orders.map((o) => o.submittedAt)}::timestamptz[],
      ${orders.map((o) => o.filledAt)}::timestamptz[], ${orders.map((o) => o.canceledAt)}::timestamptz[],
      ${orders.map((o) => o.version)}::int[]
    ) AS input (id, status, filled_quantity, average_fill_price, reject_code, reject_reason,
      broker, broker_order_id, hold_price, submitted_at, filled_at, canceled_at, version)
    WHERE "order".id = input.id`;
}

/** Notes that the owner wants an order canceled. False when it is not open. */
export async function requestCancel(
  tx: Transaction,
  accountId: string,
  id: string,
  at: Date,
): Promise<boolean> {
  const { count } = await tx.order.updateMany({
    where: { id, accountId, status: { in: [...OPEN_STATUSES] } },
    data: { cancelRequestedAt: at, updatedAt: at, version: { increment: 1 } },
  });
  return count === 1;
}

/** Takes the owner's wish to cancel back from an order that is open. For orders that the transaction has locked. */
export async function forgetCancel(tx: Transaction, id: string, at: Date): Promise<void> {
  await tx.order.updateMany({
    where: { id, status: { in: [...OPEN_STATUSES] }, cancelRequestedAt: { not: null } },
    data: { cancelRequestedAt: null, updatedAt: at, version: { increment: 1 } },
  });
}

/** Resting orders of all accounts at a broker, oldest first, that come after the given one. */
export async function listRestingOrders(
  db: Queryable,
  broker: BrokerName,
  page: { after: string | null; limit: number },
): Promise<StoredOrder[]> {
  const rows = await db.order.findMany({
    where: {
      broker,
      status: { in: ['submitted', 'partially_filled'] },
      ...(page.after && { id: { gt: page.after } }),
    },
    orderBy: { id: 'asc' },
    take: page.limit,
  });
  return rows.map(toOrder);
}

export interface NewFill {
  id: string;
  orderId: string;
  accountId: string;
  executionId: string;
  quantity: Decimal;
  price: Decimal;
  executedAt: Date;
}

/** @throws when an execution is there already */
export async function insertFills(tx: Transaction, fills: readonly NewFill[]): Promise<void> {
  if (fills.length === 0) return;
  await tx.$executeRaw`
    INSERT INTO fill (id, order_id, account_id, execution_id, quantity, price, executed_at)
    SELECT * FROM unnest(
      ${fills.map((f) => f.id)}::uuid[], ${fills.map((f) => f.orderId)}::uuid[],
      ${fills.map((f) => f.accountId)}::uuid[], ${fills.map((f) => f.executionId)}::text[],
      ${fills.map((f) => f.quantity.toFixed())}::numeric[], ${fills.map((f) => f.price.toFixed())}::numeric[],
      ${fills.map((f) => f.executedAt)}::timestamptz[])`;
}
