import { newId } from '@gatehouse/domain/id';
import { orderView } from '@gatehouse/domain/order-view';
import type { NewEvent } from './events.ts';
import type { StoredOrder } from './orders.ts';

/** What is told of an order that `saveOrders` writes in the same transaction, and at the same time. */
export function orderEvent(
  order: StoredOrder,
  { at, requestId }: { at: Date; requestId: string | null },
): NewEvent {
  const { accountId, status } = order;
  const data = orderView({ ...order, updatedAt: at });
  return { id: newId(), accountId, type: `order.${status}`, data, requestId, at };
}
