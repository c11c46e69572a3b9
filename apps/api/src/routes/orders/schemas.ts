import { ORDER_SIDES, ORDER_TYPES, POSITION_TYPES, TIMES_IN_FORCE } from '@gatehouse/domain/order';
import { OrderSchema, OrderStatusSchema } from '@gatehouse/domain/order-view';
import { Time } from '@gatehouse/domain/shapes';
import Type from 'typebox';
import {
  Body,
  DecimalText,
  Id,
  PriceInput,
  pageQuery,
  QuantityInput,
  Query,
  Text,
  Ticker,
} from '../../schemas.ts';

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

export const Fill = Type.Object({
  id: Id,
  executionId: Type.String(),
  quantity: DecimalText('3'),
  price: DecimalText('187.42'),
  executedAt: Time,
});

export const OrderWithFills = Type.Object({ ...OrderSchema.properties, fills: Type.Array(Fill) });

export const OrderQuery = Query({
  ...pageQuery,
  status: Type.Optional(OrderStatusSchema),
  symbol: Type.Optional(Ticker),
});
export const ClientOrderParams = Type.Object({ clientOrderId: ClientOrderId });
