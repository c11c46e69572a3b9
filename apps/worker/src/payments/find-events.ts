import type { Database } from '@gatehouse/db/client';
import { acceptStripeEvents, type StripeEventAcceptance } from '@gatehouse/db/stripe-events';
import { newId } from '@gatehouse/domain/id';
import { processStripeEvent } from '@gatehouse/jobs/definitions/process-stripe-event';
import type { JobLedger } from '@gatehouse/jobs/ledger';
import { hideClientSecrets } from '@gatehouse/payments/hide-client-secrets';
import type { EventTime, Payments, UndeliveredEvent } from '@gatehouse/payments/payments';

const BATCH = 100;
/** Seconds of a window in which events were found: an hour of them has to fit into a round. */
const WINDOW_SECONDS = 3_600;
/** Of a window behind others that were empty. */
const MOST_SECONDS = 24 * 3_600;

export interface FindEventsParts {
  db: Database;
  ledger: JobLedger;
  payments: Payments;
}

export interface EventSearch {
  /** Seconds of the epoch. */
  since: number;
  /** It may be wrong by less than the next search looks back. */
  now: number;
  /** Told, after each window, before when all events are stored, and how many were new so far. */
  onProgress(seenUntil: number, eventsFound: number): Promise<void>;
}

/**
 * Stores the events that Stripe could not deliver and that we do not have, each with its job, from the oldest window of
 * time to the newest: what was seen stays seen when the search is cut short. One whose webhook is under way may be among
 * them: it is stored once, whoever comes first.
 */
export async function findEvents(
  parts: FindEventsParts,
  { since, now, onProgress }: EventSearch,
  signal: AbortSignal,
): Promise<void> {
  let from = since;
  let span = WINDOW_SECONDS;
  let eventsFound = 0;
  while (true) {
    const until = from + span;
    // The newest has no end: whatever our clock says, Stripe's may be ahead.
    const isLast = until > now;
    const time = isLast ? { since: from } : { since: from, until };
    const { listed, stored } = await storeEvents(parts, time, signal);
    eventsFound += stored;
    await onProgress(isLast ? now : until, eventsFound);
    if (isLast) return;
    span = listed === 0 ? Math.min(2 * span, MOST_SECONDS) : WINDOW_SECONDS;
    from = until;
  }
}

interface StoredEvents {
  /** All that there are. */
  listed: number;
  /** Those of them that we did not have. */
  stored: number;
}

async function storeEvents(
  { db, ledger, payments }: FindEventsParts,
  time: EventTime,
  signal: AbortSignal,
): Promise<StoredEvents> {
  const found: StoredEvents = { listed: 0, stored: 0 };
  let batch: UndeliveredEvent[] = [];
  const store = async (): Promise<void> => {
    if (batch.length === 0) return;
    const acceptances = batch.map((event) => acceptanceOf(ledger, event));
    batch = [];
    const stored = await acceptStripeEvents(db, acceptances);
    const isNew = acceptances.filter(({ event }) => stored.has(event.id));
    ledger.dispatch(isNew.map(({ job }) => job));
    found.stored += stored.size;
  };
  for await (const event of payments.undeliveredEvents(time, signal)) {
    found.listed += 1;
    batch.push(event);
    if (batch.length === BATCH) await store();
  }
  await store();
  return found;
}

function acceptanceOf(
  ledger: JobLedger,
  { id: eventId, type, livemode, payload: json }: UndeliveredEvent,
): StripeEventAcceptance {
  const id = newId();
  const payload = hideClientSecrets(json);
  return {
    event: { id, eventId, type, livemode, source: 'reconciliation', payload },
    job: ledger.plan(processStripeEvent, { stripeEventId: id }, { requestId: null }),
  };
}
