import type { OrderWithFills, StoredFill } from '@gatehouse/db/orders';
import { formatMoney, formatQuantity } from '@gatehouse/domain/decimal';
import { orderView } from '@gatehouse/domain/order-view';

function fillView(fill: StoredFill) {
  return {
    ...fill,
    quantity: formatQuantity(fill.quantity),
    price: formatMoney(fill.price),
    executedAt: fill.executedAt.toISOString(),
  };
}

/** An order with its fills, as the API shows it. */
export function orderWithFillsView(order: OrderWithFills) {
  return { ...orderView(order), fills: order.fills.map(fillView) };
}
