import type { Database } from '@gatehouse/db/client';
import { deleteOldStripeEvents } from '@gatehouse/db/stripe-event-ends';
import {
  type BegunReconciliation,
  beginReconciliation,
  deleteOldReconciliations,
  endReconciliation,
  noteProgress,
} from '@gatehouse/db/stripe-reconciliations';
import { reconcileStripe } from '@gatehouse/jobs/definitions/reconcile-stripe';
import type { Payments } from '@gatehouse/payments/payments';
import { type FindEventsParts, findEvents } from '../payments/find-events.ts';
import { type MendedDeposits, mendDeposits } from '../payments/mend-deposits.ts';
import { processSchedule, type ScheduleContext, type ScheduleProcessor } from '../processor.ts';

/** For which Stripe keeps its events. */
const KEPT_DAYS = 30;
/** Seconds by which a round looks back behind the one before: an event may show up late, and clocks differ. */
const OVERLAP_SECONDS = 3_600;
/** Old events that are deleted at once. */
const BATCH = 1_000;

export interface ReconcileStripeParts extends Omit<FindEventsParts, 'payments'> {
  /** Null without access to Stripe: then there is nothing to look at. */
  payments: Payments | null;
}

/**
 * Does what lost webhooks would have done, and writes down for operators what it found. One round at a time over all
 * workers. One that fails leaves to the next what it has not seen. What is too old to be of use is deleted.
 */
export function createReconcileStripe({
  db,
  ledger,
  payments,
}: ReconcileStripeParts): ScheduleProcessor {
  return processSchedule(reconcileStripe, async (context) => {
    if (payments !== null) {
      const begun = await beginReconciliation(db, { firstDays: KEPT_DAYS });
      if (begun !== null) await doRound({ db, ledger, payments }, begun, context);
    }
    await deleteOldReconciliations(db);
    await forgetEvents(db, context);
  });
}

async function doRound(
  parts: FindEventsParts,
  { id, seenUntil, now }: BegunReconciliation,
  { signal, log }: ScheduleContext,
): Promise<void> {
  const { db } = parts;
  const mended: MendedDeposits = { depositsMended: 0, depositsUnknown: 0, depositsUnreadable: 0 };
  let found = 0;
  const search = {
    since: seenUntil - OVERLAP_SECONDS,
    now,
    async onProgress(seen: number, eventsFound: number) {
      found = eventsFound;
      await noteProgress(db, id, { seenUntil: seen, eventsFound });
    },
  };
  // At the same time: neither a key that may not list events nor a long list of them keeps deposits from being mended.
  const results = await Promise.allSettled([
    findEvents(parts, search, signal),
    mendDeposits({ ...parts, log }, mended, signal),
  ]);
  const errors = results.flatMap((result) => {
    if (result.status === 'fulfilled') return [];
    log.warn({ err: result.reason }, 'Stripe could not be reconciled with');
    return String(result.reason);
  });
  const { depositsMended, depositsUnknown, depositsUnreadable } = mended;
  if (depositsUnreadable > 0) {
    errors.push(`payments of which Stripe says what cannot be read: ${depositsUnreadable}`);
  }
  const error = errors.length === 0 ? null : describe([...new Set(errors)].join('; '));
  await endReconciliation(db, id, { depositsMended, error });
  if (found + depositsMended > 0) {
    log.warn({ eventsFound: found, depositsMended }, 'Stripe told more than its webhooks');
  }
  if (depositsUnknown > 0) {
    log.warn({ depositsUnknown }, 'Stripe does not know payments of ours');
  }
}

async function forgetEvents(db: Database, { signal, log }: ScheduleContext): Promise<void> {
  let events = 0;
  let batch = BATCH;
  while (batch === BATCH && !signal.aborted) {
    batch = await deleteOldStripeEvents(db, BATCH);
    events += batch;
  }
  if (events > 0) log.info({ events }, 'old events of Stripe were deleted');
}

/** NUL is the one character that a text in Postgres cannot hold. */
function describe(error: string): string {
  return error.replaceAll('\0', '').slice(0, 1_000);
}
