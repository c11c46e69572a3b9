import type { IncomingMessage, ServerResponse } from 'node:http';
import type { DeliveryPlan } from './deliveries.ts';
import type { Fault } from './faults.ts';
import type { Dispute, EventType, PaymentIntent, Refund, StripeEvent } from './objects.ts';
import type { Attempt, Endpoint } from './webhook-sender.ts';

export interface FakeStripeOptions {
  /** Any free one when left out. */
  readonly port?: number;
  /** Whoever has another is answered 401. A random one when left out. */
  readonly apiKey?: string;
  /** Where events go; nowhere when left out. */
  readonly endpoint?: Endpoint;
  /** Pauses before the retries of a webhook, in milliseconds: as many as there are retries. 1 s, 5 s, 30 s. */
  readonly retryDelaysMs?: readonly number[];
  /** How long an endpoint may be silent, in milliseconds. 10 s. */
  readonly deliveryTimeoutMs?: number;
  /** Where all is kept, so that the next one with this file goes on from there; in memory when left out. */
  readonly stateFile?: string;
  /** What is at `/` and below `/page/`; nothing when left out. */
  readonly page?: (fake: FakeStripe) => PageHandler;
}

/** Answers a request whose body has been read. */
export type PageHandler = (
  request: IncomingMessage,
  body: string,
  response: ServerResponse,
) => void;

/**
 * As much of Stripe as Gatehouse uses. The control methods throw when Stripe could not do what is asked, and make the
 * events that Stripe makes. Amounts are in minor units.
 */
export interface FakeStripe {
  readonly url: string;
  readonly apiKey: string;
  /** For events made from now on, and for retries; `null`: nowhere. */
  sendTo(endpoint: Endpoint | null): void;
  /** Where events go now. */
  endpointUrl(): string | null;

  pay(paymentIntentId: string): PaymentIntent;
  /** The card is declined; the PaymentIntent can be paid, failed or canceled afterwards. */
  fail(paymentIntentId: string): PaymentIntent;
  cancel(paymentIntentId: string): PaymentIntent;
  /** All that is left when no amount is given. */
  refund(paymentIntentId: string, amount?: number): Refund;
  /** The customer's bank sends the money of a refund back, as may happen days later. */
  failRefund(refundId: string): Refund;
  /** Of all that is not refunded. */
  dispute(paymentIntentId: string): Dispute;
  closeDispute(disputeId: string, outcome: 'won' | 'lost'): Dispute;

  /** Oldest first, as they are now; so are the others. */
  paymentIntents(): readonly PaymentIntent[];
  refunds(): readonly Refund[];
  disputes(): readonly Dispute[];
  events(): readonly StripeEvent[];

  /** How events of a type are sent from now on; of `all` types that nothing else is said of. */
  plan(type: EventType | 'all', plan: DeliveryPlan): void;
  /** Sends what is held, one after another, each once the one before is answered. */
  release(order: 'in order' | 'reversed'): Promise<void>;
  /** One attempt now, whatever was planned and has been delivered. */
  deliver(eventId: string): Promise<Attempt>;
  /** The same with a thin (v2) notification of the event. */
  deliverThin(eventId: string): Promise<Attempt & { notificationId: string }>;
  /** Of an event or a thin notification, oldest first. */
  attempts(id: string): readonly Attempt[];

  /** Meets the next requests to a path so: see {@link Fault}. Once when `times` is left out. */
  fault(at: string, fault: Fault, times?: number): void;
  /** Ends all faults; what hangs goes on hanging. */
  heal(): void;
  /** How many requests to the API came in, whatever became of them. */
  requests(): number;
  close(): Promise<void>;
}
