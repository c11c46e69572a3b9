import type { BrokerOrder, BrokerOrderStatus } from '@gatehouse/domain/broker';
import { type Decimal, decimal } from '@gatehouse/domain/decimal';
import Type, { type Static } from 'typebox';
import { Value } from 'typebox/value';

/**
 * Alpaca's statuses, and what they are here: open is what may still be filled. `done_for_day` and `calculated` wait for
 * the next day or the evening's settlement, `stopped` has a fill that is guaranteed and yet to come. Nobody replaces
 * orders through Gatehouse: of one that was replaced elsewhere, the rest is over.
 */
const STATUSES = {
  new: 'open',
  accepted: 'open',
  pending_new: 'open',
  accepted_for_bidding: 'open',
  held: 'open',
  calculated: 'open',
  stopped: 'open',
  suspended: 'open',
  pending_cancel: 'open',
  pending_replace: 'open',
  partially_filled: 'open',
  done_for_day: 'open',
  filled: 'filled',
  canceled: 'canceled',
  replaced: 'canceled',
  expired: 'expired',
  rejected: 'rejected',
} as const satisfies Record<string, BrokerOrderStatus>;

type AlpacaStatus = keyof typeof STATUSES;
const NAMES = Object.keys(STATUSES).filter((name): name is AlpacaStatus => name in STATUSES);

const Amount = Type.String({ pattern: '^\\d+(\\.\\d+)?$' });

/** As much of the order object as is used; the API may add fields at any time. */
const AlpacaOrder = Type.Object({
  id: Type.String({ minLength: 1 }),
  client_order_id: Type.String(),
  symbol: Type.String(),
  side: Type.String(),
  /** Null for an order by amount of dollars. */
  qty: Type.Union([Amount, Type.Null()]),
  filled_qty: Amount,
  filled_avg_price: Type.Union([Amount, Type.Null()]),
  status: Type.Enum(NAMES),
});

export interface PlacedOrder {
  readonly order: BrokerOrder;
  readonly symbol: string;
  readonly side: string;
  readonly quantity: Decimal | null;
}

/** The order in an answer; null when it is none, or one that cannot be: with a status that nobody knows, or a fill without a price. */
export function parseOrder(body: unknown): PlacedOrder | null {
  if (!Value.Check(AlpacaOrder, body)) return null;
  const filledQuantity = decimal(body.filled_qty);
  const averageFillPrice = averagePrice(body);
  if (!filledQuantity.isZero() && averageFillPrice === null) return null;
  return {
    order: {
      id: body.id,
      clientOrderId: body.client_order_id,
      status: STATUSES[body.status],
      filledQuantity,
      averageFillPrice: filledQuantity.isZero() ? null : averageFillPrice,
    },
    symbol: body.symbol,
    side: body.side,
    quantity: body.qty === null ? null : decimal(body.qty),
  };
}

function averagePrice({ filled_avg_price: price }: Static<typeof AlpacaOrder>): Decimal | null {
  return price === null ? null : decimal(price);
}
