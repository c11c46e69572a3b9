import Type, { type Static } from 'typebox';
import { type Decimal, decimal, formatMoney, formatQuantity, ZERO } from './decimal.ts';
import {
  ORDER_SIDES,
  ORDER_STATUSES,
  ORDER_TYPES,
  type OrderSide,
  type OrderStatus,
  type OrderType,
  POSITION_TYPES,
  type PositionType,
  REJECT_CODES,
  TIMES_IN_FORCE,
  type TimeInForce,
} from './order.ts';
import { DecimalText, Id, Nullable, Ticker, Time } from './shapes.ts';

export const OrderStatusSchema = Type.Enum([...ORDER_STATUSES], {
  description:
    '`unknown`: the broker was asked, and its answer is lost. What became of the order is being found out.',
});

export const OrderSchema = Type.Object({
  id: Id,
  clientOrderId: Nullable(Type.String()),
  symbol: Ticker,
  side: Type.Enum([...ORDER_SIDES]),
  type: Type.Enum([...ORDER_TYPES]),
  quantity: DecimalText('3'),
  limitPrice: Nullable(DecimalText('187.42')),
  timeInForce: Type.Enum([...TIMES_IN_FORCE]),
  positionType: Type.Enum([...POSITION_TYPES]),
  status: OrderStatusSchema,
  filledQuantity: DecimalText('0'),
  averageFillPrice: Nullable(DecimalText('187.42')),
  rejectCode: Nullable(
    Type.String({
      description: `Why it is rejected: ${REJECT_CODES.map((code) => `\`${code}\``).join(', ')}.`,
    }),
  ),
  rejectReason: Nullable(Type.String()),
  brokerOrderId: Nullable(Type.String()),
  version: Type.Integer(),
  createdAt: Time,
  updatedAt: Time,
  submittedAt: Nullable(Time),
  filledAt: Nullable(Time),
  canceledAt: Nullable(Time),
});

export type OrderView = Static<typeof OrderSchema>;

/** What its owner asked for. */
interface OrderRequest<Amount> {
  readonly id: string;
  readonly clientOrderId: string | null;
  readonly symbol: string;
  readonly side: OrderSide;
  readonly type: OrderType;
  readonly quantity: Amount;
  readonly limitPrice: Amount | null;
  readonly timeInForce: TimeInForce;
  readonly positionType: PositionType;
  readonly createdAt: Date;
}

/** An order as far as its view goes. */
export interface ViewableOrder extends OrderRequest<Decimal> {
  readonly status: OrderStatus;
  readonly filledQuantity: Decimal;
  readonly averageFillPrice: Decimal | null;
  readonly rejectCode: string | null;
  readonly rejectReason: string | null;
  readonly brokerOrderId: string | null;
  readonly version: number;
  readonly updatedAt: Date;
  readonly submittedAt: Date | null;
  readonly filledAt: Date | null;
  readonly canceledAt: Date | null;
}

/** An order as its owner sees it: what the API answers, and what the events of it carry. */
export function orderView(order: ViewableOrder): OrderView {
  return {
    id: order.id,
    clientOrderId: order.clientOrderId,
    symbol: order.symbol,
    side: order.side,
    type: order.type,
    quantity: formatQuantity(order.quantity),
    limitPrice: order.limitPrice && formatMoney(order.limitPrice),
    timeInForce: order.timeInForce,
    positionType: order.positionType,
    status: order.status,
    filledQuantity: formatQuantity(order.filledQuantity),
    averageFillPrice: order.averageFillPrice && formatMoney(order.averageFillPrice),
    rejectCode: order.rejectCode,
    rejectReason: order.rejectReason,
    brokerOrderId: order.brokerOrderId,
    version: order.version,
    createdAt: order.createdAt.toISOString(),
    updatedAt: order.updatedAt.toISOString(),
    submittedAt: order.submittedAt?.toISOString() ?? null,
    filledAt: order.filledAt?.toISOString() ?? null,
    canceledAt: order.canceledAt?.toISOString() ?? null,
  };
}

/** An order as it is the moment it is accepted: the row that is about to be inserted, and its defaults. */
export function acceptedOrderView(order: OrderRequest<string>): OrderView {
  return orderView({
    ...order,
    quantity: decimal(order.quantity),
    limitPrice: order.limitPrice === null ? null : decimal(order.limitPrice),
    status: 'accepted',
    filledQuantity: ZERO,
    averageFillPrice: null,
    rejectCode: null,
    rejectReason: null,
    brokerOrderId: null,
    version: 1,
    updatedAt: order.createdAt,
    submittedAt: null,
    filledAt: null,
    canceledAt: null,
  });
}
