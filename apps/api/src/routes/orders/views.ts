import type { NewOrder } from '@gatehouse/db/order-acceptance';
import type { OrderWithFills, StoredFill, StoredOrder } from '@gatehouse/db/orders';
import { decimal, formatMoney, formatQuantity } from '@gatehouse/domain/decimal';

/** An order as the API shows it. */
export function orderView(order: StoredOrder) {
  return {
    ...order,
    quantity: formatQuantity(order.quantity),
    limitPrice: order.limitPrice && formatMoney(order.limitPrice),
    filledQuantity: formatQuantity(order.filledQuantity),
    averageFillPrice: order.averageFillPrice && formatMoney(order.averageFillPrice),
  };
}

function fillView(fill: StoredFill) {
  return { ...fill, quantity: formatQuantity(fill.quantity), price: formatMoney(fill.price) };
}

export function orderWithFillsView(order: OrderWithFills) {
  return { ...orderView(order), fills: order.fills.map(fillView) };
}

/** An order as it is the moment it is accepted: the row that is about to be inserted, and its defaults. */
export function acceptedOrderView(order: NewOrder): ReturnType<typeof orderView> {
  return orderView({
    ...order,
    quantity: decimal(order.quantity),
    limitPrice: order.limitPrice === null ? null : decimal(order.limitPrice),
    status: 'accepted',
    filledQuantity: decimal(0),
    averageFillPrice: null,
    rejectCode: null,
    rejectReason: null,
    broker: null,
    brokerOrderId: null,
    holdPrice: null,
    version: 1,
    updatedAt: order.createdAt,
    cancelRequestedAt: null,
    submittedAt: null,
    filledAt: null,
    canceledAt: null,
  });
}
