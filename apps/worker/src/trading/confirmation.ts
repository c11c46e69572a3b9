import type { OrderWithFills } from '@gatehouse/db/orders';
import {
  formatMoney,
  formatQuantity,
  roundCost,
  roundProceeds,
  ZERO,
} from '@gatehouse/domain/decimal';
import { composeEmail, type OwedEmail } from '../mail/compose-email.ts';
import { orderConfirmation } from '../mail/templates/order-confirmation.ts';

/** The mail that the owner of a filled order is owed. */
export function confirmationOf(
  order: OrderWithFills,
  { recipient, filledAt }: { recipient: string; filledAt: Date },
): OwedEmail {
  const round = order.side === 'buy' ? roundCost : roundProceeds;
  const total = order.fills.reduce(
    (sum, { quantity, price }) => sum.plus(round(quantity.times(price))),
    ZERO,
  );
  return composeEmail(orderConfirmation, {
    accountId: order.accountId,
    recipient,
    data: {
      orderId: order.id,
      symbol: order.symbol,
      side: order.side,
      quantity: formatQuantity(order.quantity),
      averagePrice: formatMoney(order.averageFillPrice ?? ZERO),
      total: formatMoney(total),
      filledAt: filledAt.toISOString(),
    },
  });
}
