import type { Decimal } from './decimal.ts';
import type { OrderSide, OrderTerms, PositionType, TimeInForce } from './order.ts';

/** Where orders can be taken: `paper` is our own, the others are outside. */
export const BROKERS = ['paper', 'alpaca'] as const;
export type BrokerName = (typeof BROKERS)[number];

/** An order as it is given to a broker. Quantity in shares, prices in dollars a share. */
export type BrokerOrderRequest = OrderTerms & {
  /** Ours: the broker's key to tell a second request from a second order. */
  readonly clientOrderId: string;
  readonly symbol: string;
  readonly side: OrderSide;
  readonly quantity: Decimal;
  readonly timeInForce: TimeInForce;
  readonly positionType: PositionType;
};

export type BrokerOrderStatus = 'open' | 'filled' | 'canceled' | 'expired' | 'rejected';

/** What a broker says of an order, all of it up to now. */
export interface BrokerOrder {
  /** The broker's own id. */
  readonly id: string;
  readonly clientOrderId: string;
  readonly status: BrokerOrderStatus;
  /** Shares. Never less than what the broker said before. */
  readonly filledQuantity: Decimal;
  /** Dollars a share over all that is filled; null while nothing is. */
  readonly averageFillPrice: Decimal | null;
}

/**
 * A broker outside: its effects share no transaction with ours. Every call may be made more than once.
 *
 * Each method throws `BrokerUnavailable` when nothing was done, and `OutcomeUnknown` when nobody knows.
 */
export interface Broker {
  readonly name: Exclude<BrokerName, 'paper'>;
  readonly capabilities: {
    /** Whether a second order under the same `clientOrderId` is recognised, and not taken. */
    readonly dedupesClientOrderId: boolean;
  };
  /**
   * Gives it an order, or finds that it has it.
   *
   * @throws {BrokerRejection} when it will not have it
   */
  submit(order: BrokerOrderRequest, signal: AbortSignal): Promise<BrokerOrder>;
  /** The order that it has under our id; null when it has none. */
  find(clientOrderId: string, signal: AbortSignal): Promise<BrokerOrder | null>;
  /** Asks it to cancel what is not filled yet. What became of that is found by `find`. */
  cancel(brokerOrderId: string, signal: AbortSignal): Promise<void>;
}

/** The broker has said no, and will say no again. */
export class BrokerRejection extends Error {
  override readonly name = 'BrokerRejection';
}

/** The broker was not asked, or has refused to listen: it has done nothing. */
export class BrokerUnavailable extends Error {
  override readonly name = 'BrokerUnavailable';
  /** Milliseconds until it is worth another try. */
  readonly retryInMs: number;

  constructor(message: string, retryInMs: number, options?: ErrorOptions) {
    super(message, options);
    this.retryInMs = retryInMs;
  }
}

/** The broker was asked and its answer is lost: it may have done it, or may do it yet. */
export class OutcomeUnknown extends Error {
  override readonly name = 'OutcomeUnknown';
}
