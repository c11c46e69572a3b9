import type { DepositFacts } from '@gatehouse/domain/deposit';

/** A payment that is to be made. */
export interface NewPayment {
  readonly depositId: string;
  readonly accountId: string;
  /** Minor units. */
  readonly amount: number;
  /** In lower case. */
  readonly currency: string;
}

/** What the provider says of a payment now. */
export interface PaymentReading {
  readonly paymentIntentId: string;
  /** From its metadata; null for a payment that somebody else made. */
  readonly depositId: string | null;
  /** Whoever has it can pay, and see the payment. */
  readonly clientSecret: string;
  readonly facts: DepositFacts;
}

/** Something at the provider that belongs to a payment. */
export interface PaymentObject {
  readonly type: 'payment_intent' | 'charge' | 'refund' | 'dispute';
  readonly id: string;
}

/**
 * The payment provider.
 *
 * @throws {PaymentsUnavailable} from each, {PaymentsRefused} and {PaymentUnreadable}
 */
export interface Payments {
  /** Creates the payment of a deposit, or gives back the one that there is: its id is the idempotency key. */
  create(payment: NewPayment, signal: AbortSignal): Promise<PaymentReading>;
  /** The payment that an object belongs to, with its refunds and disputes. Null when the provider does not know it. */
  read(object: PaymentObject, signal: AbortSignal): Promise<PaymentReading | null>;
  /** Events that are handled, of that time, and were not delivered to every endpoint, newest first. */
  undeliveredEvents(time: EventTime, signal: AbortSignal): AsyncIterable<UndeliveredEvent>;
}

/** When events were created, in seconds of the epoch by the provider's clock. */
export interface EventTime {
  readonly since: number;
  /** Those of this second are left out. Without an end when left out. */
  readonly until?: number;
}

export interface UndeliveredEvent {
  readonly id: string;
  readonly type: string;
  readonly livemode: boolean;
  /** Seconds of the epoch. */
  readonly created: number;
  /** All of it, as JSON. */
  readonly payload: string;
}

/** The provider is away or overloaded, or did not answer: what was asked may have happened, and may be asked again. */
export class PaymentsUnavailable extends Error {
  override readonly name = 'PaymentsUnavailable';
  /** Milliseconds until it is worth another try. */
  readonly retryInMs: number;
  /** Whether the same is being asked by another right now. */
  readonly isInUse: boolean;

  constructor(
    message: string,
    retryInMs: number,
    { isInUse = false, ...options }: ErrorOptions & { isInUse?: boolean } = {},
  ) {
    super(message, options);
    this.retryInMs = retryInMs;
    this.isInUse = isInUse;
  }
}

/** The provider will not do it, however often it is asked. */
export class PaymentsRefused extends Error {
  override readonly name = 'PaymentsRefused';
  /** The provider's, such as `amount_too_small`. */
  readonly code: string | null;

  constructor(message: string, code: string | null, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** What the provider says of one payment is nothing that we know what to make of. It says nothing about the others. */
export class PaymentUnreadable extends Error {
  override readonly name = 'PaymentUnreadable';
}
