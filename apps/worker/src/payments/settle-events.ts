import { type DepositBooks, openDepositBooks } from '@gatehouse/db/deposit-books';
import { type DepositChange, hearFacts } from '@gatehouse/db/deposit-changes';
import { type EndedStripeEvent, settleStripeEvents } from '@gatehouse/db/stripe-event-ends';
import type { JobLedger } from '@gatehouse/jobs/ledger';
import { NotYet } from '../not-yet.ts';
import type { BatchEffect } from '../settlement.ts';
import { describeChange } from './outcome.ts';
import type { Resolution } from './resolve-event.ts';
import { writeDepositChanges } from './write-deposit-changes.ts';

export type ResolvedEvent = Resolution & { stripeEventId: string; requestId: string | null };
type Telling = Extract<ResolvedEvent, { kind: 'facts' }>;

/** What an event has changed, in memory. */
type EventChange = DepositChange & { stripeEventId: string };

/**
 * Does what events ask for, in the caller's transaction: money, deposits, the log, the owners' mails and what came of
 * each event. They are heard one after the other in memory, under the locks of all their accounts, and written together;
 * what is known only grows, so their order is of no matter.
 */
export function createEventSettlement(ledger: JobLedger): BatchEffect<ResolvedEvent> {
  return async (tx, events) => {
    const telling = events.filter((event) => event.kind === 'facts');
    const books = await openDepositBooks(tx, telling);
    const at = new Date();
    const ends: EndedStripeEvent[] = [];
    const changes: EventChange[] = [];
    for (const event of events) {
      const heard =
        event.kind === 'facts'
          ? hearEvent(books, event, at)
          : ended(event, event.kind, event.reason);
      if ('status' in heard) ends.push(heard);
      else changes.push(heard);
    }
    for (const heard of await writeDepositChanges(tx, ledger, books, changes)) {
      ends.push(ended(heard, 'processed', describeChange(heard)));
    }
    await settleStripeEvents(tx, ends);
  };
}

function hearEvent(books: DepositBooks, event: Telling, at: Date): EventChange | EndedStripeEvent {
  const deposit = books.find(event);
  if (deposit === null) return ended(event, 'ignored', 'no deposit of ours');
  const { stripeEventId, requestId, paymentIntentId, facts } = event;
  const { id, paymentIntentId: known, failedRefundAmount } = deposit;
  if (known !== null && known !== paymentIntentId) {
    return ended(event, 'refused', `deposit ${id} is paid by ${known}, not by ${paymentIntentId}`);
  }
  // A refund has failed since the event was read, so that its total is not what we count: the next run asks Stripe.
  if (facts.refundedAmount !== undefined && failedRefundAmount > 0 && !event.isAsked) {
    throw new NotYet(`a refund of deposit ${id} has failed meanwhile`, 0);
  }
  const change = hearFacts(deposit, facts, { paymentIntentId, at, requestId });
  books.put(change.deposit);
  return { ...change, stripeEventId };
}

/** NUL is the one character that a text in Postgres cannot hold; what Stripe sends may name it. */
function ended(
  { stripeEventId: id }: { stripeEventId: string },
  status: EndedStripeEvent['status'],
  outcome: string,
): EndedStripeEvent {
  return { id, status, outcome: outcome.replaceAll('\0', '') };
}
