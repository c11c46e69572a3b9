/** Stripe's objects, as far as Gatehouse reads them and a little further. Amounts are in minor units, times in seconds. */

export interface PaymentIntent {
  readonly id: string;
  readonly object: 'payment_intent';
  readonly amount: number;
  amount_received: number;
  readonly automatic_payment_methods: { allow_redirects: string; enabled: boolean } | null;
  canceled_at: number | null;
  cancellation_reason: string | null;
  readonly capture_method: string;
  readonly client_secret: string;
  readonly confirmation_method: string;
  readonly created: number;
  readonly currency: string;
  readonly customer: null;
  readonly description: string | null;
  last_payment_error: Record<string, unknown> | null;
  latest_charge: string | null;
  readonly livemode: boolean;
  readonly metadata: Record<string, string>;
  readonly next_action: null;
  payment_method: string | null;
  readonly payment_method_types: readonly string[];
  readonly processing: null;
  readonly receipt_email: string | null;
  status: 'requires_payment_method' | 'succeeded' | 'canceled';
}

export interface Charge {
  readonly id: string;
  readonly object: 'charge';
  readonly amount: number;
  readonly amount_captured: number;
  /** Of all refunds together. */
  amount_refunded: number;
  readonly balance_transaction: string | null;
  readonly captured: boolean;
  readonly created: number;
  readonly currency: string;
  readonly customer: null;
  readonly description: string | null;
  disputed: boolean;
  readonly failure_code: string | null;
  readonly failure_message: string | null;
  readonly livemode: boolean;
  /** Of the PaymentIntent, as it was when it was charged. */
  readonly metadata: Record<string, string>;
  readonly outcome: { network_status: string; reason: string | null; type: string };
  readonly paid: boolean;
  readonly payment_intent: string;
  readonly payment_method: string;
  refunded: boolean;
  readonly status: 'succeeded' | 'failed';
}

export interface Refund {
  readonly id: string;
  readonly object: 'refund';
  readonly amount: number;
  readonly balance_transaction: string;
  readonly charge: string;
  readonly created: number;
  readonly currency: string;
  /** Only of one that failed. */
  failure_reason?: string;
  readonly metadata: Record<string, string>;
  readonly payment_intent: string;
  readonly reason: string | null;
  /** One that succeeded may still fail: the bank sends the money back. */
  status: 'succeeded' | 'failed';
}

export interface Dispute {
  readonly id: string;
  readonly object: 'dispute';
  readonly amount: number;
  /** What was withdrawn, and what came back when it was won. */
  readonly balance_transactions: BalanceTransaction[];
  readonly charge: string;
  readonly created: number;
  readonly currency: string;
  is_charge_refundable: boolean;
  readonly livemode: boolean;
  readonly metadata: Record<string, string>;
  readonly payment_intent: string;
  readonly reason: string;
  status: 'needs_response' | 'won' | 'lost';
}

export interface BalanceTransaction {
  readonly id: string;
  readonly object: 'balance_transaction';
  readonly amount: number;
  readonly currency: string;
  readonly fee: number;
  readonly net: number;
  readonly reporting_category: string;
  readonly type: 'adjustment';
}

export type StripeObject = PaymentIntent | Charge | Refund | Dispute;

export type EventType =
  | 'payment_intent.created'
  | 'payment_intent.succeeded'
  | 'payment_intent.payment_failed'
  | 'payment_intent.canceled'
  | 'charge.succeeded'
  | 'charge.failed'
  | 'charge.refunded'
  | 'refund.created'
  | 'refund.updated'
  | 'refund.failed'
  | 'charge.dispute.created'
  | 'charge.dispute.funds_withdrawn'
  | 'charge.dispute.closed'
  | 'charge.dispute.funds_reinstated';

/** A snapshot event: the object as it was when the event was made. */
export interface StripeEvent {
  readonly id: string;
  readonly object: 'event';
  readonly api_version: string;
  readonly created: number;
  readonly data: {
    readonly object: StripeObject;
    readonly previous_attributes?: Record<string, unknown>;
  };
  readonly livemode: boolean;
  /** 1 until the endpoint has answered 2xx once. */
  pending_webhooks: number;
  readonly request: Cause;
  readonly type: EventType;
}

/** The request that an event comes from: of nulls when it comes from the customer, or from a bank. */
export interface Cause {
  readonly id: string | null;
  readonly idempotency_key: string | null;
}

export const NO_REQUEST: Cause = { id: null, idempotency_key: null };
