import {
  ORDER_SIDES,
  ORDER_STATUSES,
  ORDER_TYPES,
  POSITION_TYPES,
  REJECT_CODES,
  TIMES_IN_FORCE,
} from '@gatehouse/domain/order';
import Type from 'typebox';
import {
  Body,
  DecimalText,
  Id,
  Nullable,
  PriceInput,
  pageQuery,
  QuantityInput,
  Query,
  Text,
  Ticker,
  Timestamp,
} from '../../schemas.ts';

const Status = Type.Enum([...ORDER_STATUSES], {
  description:
    '`unknown`: the broker was asked, and its answer is lost. What became of the order is being found out.',
});

const ClientOrderId = Text(1, 128);

export const NewOrder = Body(
  {
    symbol: Ticker,
    side: Type.Enum([...ORDER_SIDES]),
    type: Type.Enum([...ORDER_TYPES]),
    quantity: QuantityInput,
    limitPrice: Type.Optional(PriceInput),
    timeInForce: Type.Enum([...TIMES_IN_FORCE], { default: 'day' }),
    positionType: Type.Enum([...POSITION_TYPES], { default: 'stock' }),
    clientOrderId: Type.Optional(ClientOrderId),
  },
  {
    // A limit order has a limit price, a market order has none.
    if: { properties: { type: { const: 'limit' } } },
    // biome-ignore lint/suspicious/noThenProperty: a JSON Schema keyword
    then: { required: ['limitPrice'] },
    else: { properties: { limitPrice: false } },
  },
);

export const Order = Type.Object({
  id: Id,
  clientOrderId: Nullable(Type.String()),
  symbol: Ticker,
  side: Type.Enum([...ORDER_SIDES]),
  type: Type.Enum([...ORDER_TYPES]),
  quantity: DecimalText('3'),
  limitPrice: Nullable(DecimalText('187.42')),
  timeInForce: Type.Enum([...TIMES_IN_FORCE]),
  positionType: Type.Enum([...POSITION_TYPES]),
  status: Status,
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
  createdAt: Timestamp,
  updatedAt: Timestamp,
  submittedAt: Nullable(Timestamp),
  filledAt: Nullable(Timestamp),
  canceledAt: Nullable(Timestamp),
});

export const Fill = Type.Object({
  id: Id,
  executionId: Type.String(),
  quantity: DecimalText('3'),
  price: DecimalText('187.42'),
  executedAt: Timestamp,
});

export const OrderWithFills = Type.Object({ ...Order.properties, fills: Type.Array(Fill) });

export const OrderQuery = Query({
  ...pageQuery,
  status: Type.Optional(Status),
  symbol: Type.Optional(Ticker),
});

export const OrderParams = Type.Object({ id: Id });
export const ClientOrderParams = Type.Object({ clientOrderId: ClientOrderId });
