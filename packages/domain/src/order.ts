import type { Decimal } from './decimal.ts';

export const ORDER_SIDES = ['buy', 'sell'] as const;
export type OrderSide = (typeof ORDER_SIDES)[number];

export const ORDER_TYPES = ['market', 'limit'] as const;
export type OrderType = (typeof ORDER_TYPES)[number];

export const TIMES_IN_FORCE = ['day', 'gtc', 'ioc', 'fok'] as const;
export type TimeInForce = (typeof TIMES_IN_FORCE)[number];

export const POSITION_TYPES = ['stock', 'call', 'put'] as const;
export type PositionType = (typeof POSITION_TYPES)[number];

export const ORDER_STATUSES = [
  'accepted',
  'submitted',
  'partially_filled',
  'filled',
  'canceled',
  'rejected',
  'expired',
  'unknown',
] as const;
export type OrderStatus = (typeof ORDER_STATUSES)[number];

/**
 * Where an order may go from each status. `unknown` means that the broker was asked to do something and its
 * answer was lost: it leaves only for what the broker then reports. It is never entered from itself, since
 * asking again without an answer changes nothing.
 */
export const TRANSITIONS = {
  accepted: ['submitted', 'rejected', 'canceled', 'expired', 'unknown'],
  submitted: ['partially_filled', 'filled', 'canceled', 'rejected', 'expired', 'unknown'],
  partially_filled: ['partially_filled', 'filled', 'canceled', 'expired', 'unknown'],
  unknown: ['submitted', 'partially_filled', 'filled', 'canceled', 'rejected', 'expired'],
  filled: [],
  canceled: [],
  rejected: [],
  expired: [],
} as const satisfies Record<OrderStatus, readonly OrderStatus[]>;

/** The statuses that nothing leaves, read off the table. */
export type TerminalStatus = {
  [S in OrderStatus]: (typeof TRANSITIONS)[S] extends readonly [] ? S : never;
}[OrderStatus];
export type OpenStatus = Exclude<OrderStatus, TerminalStatus>;

export function isTerminal(status: OrderStatus): status is TerminalStatus {
  return TRANSITIONS[status].length === 0;
}

export function isOpen(status: OrderStatus): status is OpenStatus {
  return !isTerminal(status);
}

export const OPEN_STATUSES: readonly OpenStatus[] = ORDER_STATUSES.filter(isOpen);
export const TERMINAL_STATUSES: readonly TerminalStatus[] = ORDER_STATUSES.filter(isTerminal);

export class IllegalTransition extends Error {
  override readonly name = 'IllegalTransition';
  readonly from: OrderStatus;
  readonly to: OrderStatus;

  constructor(from: OrderStatus, to: OrderStatus) {
    super(`an order cannot go from ${from} to ${to}`);
    this.from = from;
    this.to = to;
  }
}

export function canTransition(from: OrderStatus, to: OrderStatus): boolean {
  const allowed: readonly OrderStatus[] = TRANSITIONS[from];
  return allowed.includes(to);
}

/**
 * The status after a change: `to`, when the table allows it.
 *
 * @throws {IllegalTransition}
 */
export function transition<To extends OrderStatus>(from: OrderStatus, to: To): To {
  if (!canTransition(from, to)) {
    throw new IllegalTransition(from, to);
  }
  return to;
}

export const REJECT_CODES = [
  'insufficient_funds',
  'insufficient_position',
  'broker_rejected',
] as const;
export type RejectCode = (typeof REJECT_CODES)[number];

/** What the owner of a rejected order reads beside the code. */
export const REJECT_REASONS: Readonly<Record<RejectCode, string>> = {
  insufficient_funds: 'The available cash does not cover the cost of this order.',
  insufficient_position: 'The available holdings do not cover the quantity of this sell order.',
  broker_rejected: 'The broker does not take this order.',
};

/** The price side of an order: a limit order has a limit, a market order cannot. */
export type OrderTerms =
  | { readonly type: 'market' }
  | { readonly type: 'limit'; readonly limitPrice: Decimal };

/**
 * The terms of an order as it is stored, with its limit in a column that may be empty.
 *
 * @throws {RangeError} when a limit order has no limit, or a market order has one
 */
export function orderTerms(type: OrderType, limitPrice: Decimal | null): OrderTerms {
  if (type === 'market') {
    if (limitPrice !== null) {
      throw new RangeError('a market order has no limit price');
    }
    return { type };
  }
  if (limitPrice === null) {
    throw new RangeError('a limit order needs a limit price');
  }
  return { type, limitPrice };
}
