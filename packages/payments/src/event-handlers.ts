import type { DepositFacts, DepositStatus, DisputeStatus } from '@gatehouse/domain/deposit';
import type { Static, TSchema } from 'typebox';
import { Value } from 'typebox/value';
import { Charge, Dispute, depositIdOf, idOf, PaymentIntent, Refund } from './event-objects.ts';
import type { EventReading } from './event-reading.ts';

/** Reads the object of an event. */
type Handler = (object: unknown) => EventReading;

export const ignored = (reason: string): EventReading => ({ kind: 'ignored', reason });
export const refused = (reason: string): EventReading => ({ kind: 'refused', reason });

/** The only currency of accounts. */
export const CURRENCY = 'usd';

/** A handler of objects that are as `schema` says; others are refused. */
function handle<T extends TSchema>(schema: T, read: (object: Static<T>) => EventReading): Handler {
  return (object) => {
    if (!Value.Check(schema, object)) {
      const [error] = Value.Errors(schema, object);
      const where = error?.instancePath ? `${error.instancePath} ` : '';
      return refused(`its object is not as it should be: ${where}${error?.message}`);
    }
    const currency = currencyOf(object);
    if (currency !== CURRENCY) return refused(`it is in ${currency}, not in ${CURRENCY}`);
    return read(object);
  };
}

/** Ours, when nothing is said. */
function currencyOf(object: unknown): string {
  const isGiven = typeof object === 'object' && object !== null && 'currency' in object;
  return String((isGiven && object.currency) || CURRENCY).toLowerCase();
}

const toldBy = (
  { id, metadata }: Static<typeof PaymentIntent>,
  facts: DepositFacts,
): EventReading => ({
  kind: 'facts',
  paymentIntentId: id,
  depositId: depositIdOf(metadata),
  facts,
});

const is = (status: DepositStatus): Handler =>
  handle(PaymentIntent, (object) => toldBy(object, { status }));

const succeeded = handle(PaymentIntent, (object) => {
  const receivedAmount = object.amount_received ?? object.amount ?? null;
  if (receivedAmount === null) return refused('it does not say how much was received');
  if (receivedAmount === 0) return refused('it says that nothing was received');
  return toldBy(object, { status: 'succeeded', receivedAmount });
});

const NO_PAYMENT = 'it is not about a PaymentIntent';

const chargeRefunded = handle(Charge, ({ payment_intent, amount_refunded, metadata }) => {
  const paymentIntentId = idOf(payment_intent);
  if (paymentIntentId === null) return ignored(NO_PAYMENT);
  const facts = { refundedAmount: amount_refunded };
  return { kind: 'facts', paymentIntentId, depositId: depositIdOf(metadata), facts };
});

const dispute = handle(Dispute, ({ id, payment_intent, amount, status }) => {
  const paymentIntentId = idOf(payment_intent);
  if (paymentIntentId === null) return ignored(NO_PAYMENT);
  const known = readDisputeStatus(status);
  if (known === 'no money') return ignored(`a dispute that is ${status} moves no money`);
  if (known === null) return refused(`nobody knows a dispute that is ${status}`);
  if (amount === 0) return ignored('a dispute of nothing moves no money');
  const facts = { disputes: [{ id, amount, status: known }] };
  return { kind: 'facts', paymentIntentId, depositId: null, facts };
});

/** Only Stripe knows what its refunds come to without those that failed. */
const askAboutRefund = handle(Refund, ({ id, payment_intent, metadata }) => {
  if (payment_intent === null) return ignored(NO_PAYMENT);
  const [paymentIntentId, depositId] = [idOf(payment_intent), depositIdOf(metadata)];
  return { kind: 'ask', object: { type: 'refund', id }, paymentIntentId, depositId };
});

const refundUpdated = handle(Refund, (object) =>
  isFailedRefund(object.status)
    ? askAboutRefund(object)
    : ignored(`a refund that is ${object.status ?? 'of no status'} is told by its charge`),
);

/** Whether its money has come back. */
export function isFailedRefund(status: string | null | undefined): boolean {
  return status === 'failed' || status === 'canceled';
}

/** Null for one that nobody knows. Inquiries (`warning_…`) and what was prevented take nothing from the balance. */
export function readDisputeStatus(status: string): DisputeStatus | 'no money' | null {
  switch (status) {
    case 'needs_response':
    case 'under_review':
      return 'open';
    case 'won':
    case 'lost':
      return status;
    default:
      return status.startsWith('warning_') || status === 'prevented' ? 'no money' : null;
  }
}

/** Every event type that is handled, by whom. */
export const HANDLERS: ReadonlyMap<string, Handler> = new Map([
  ['payment_intent.created', is('pending')],
  ['payment_intent.processing', is('pending')],
  ['payment_intent.requires_action', is('pending')],
  ['payment_intent.succeeded', succeeded],
  ['payment_intent.payment_failed', is('failed')],
  ['payment_intent.canceled', is('canceled')],
  ['charge.refunded', chargeRefunded],
  ['charge.refund.updated', refundUpdated],
  ['refund.updated', refundUpdated],
  ['refund.failed', askAboutRefund],
  ['charge.dispute.created', dispute],
  ['charge.dispute.updated', dispute],
  ['charge.dispute.closed', dispute],
  ['charge.dispute.funds_withdrawn', dispute],
  ['charge.dispute.funds_reinstated', dispute],
]);
