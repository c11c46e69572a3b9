import type { Database } from '@gatehouse/db/client';
import {
  cancelOldDeliveries,
  listOwedEndpoints,
  lockOverdueEndpoint,
} from '@gatehouse/db/old-deliveries';
import { deleteOldEvents } from '@gatehouse/db/old-events';
import { deleteOldTraces } from '@gatehouse/db/old-traces';
import { transaction } from '@gatehouse/db/transaction';
import { cleanEvents } from '@gatehouse/jobs/definitions/clean-events';
import { deliverWebhooks } from '@gatehouse/jobs/definitions/deliver-webhooks';
import type { JobLedger } from '@gatehouse/jobs/ledger';
import { processSchedule, type ScheduleProcessor } from '../processor.ts';

/** Rows of one transaction. */
const BATCH = 1_000;

export interface CleanEventsParts {
  db: Database;
  ledger: JobLedger;
}

/**
 * Deletes old events that nobody is owed any more, each batch by itself. Rounds that overlap take turns; one that is cut
 * short leaves the rest to the next.
 */
export function createCleanEvents(parts: CleanEventsParts): ScheduleProcessor {
  const { db } = parts;
  return processSchedule(cleanEvents, async ({ signal, log }) => {
    const deliveries = await giveUpDeliveries(parts, signal);
    if (deliveries > 0)
      log.warn({ deliveries }, 'deliveries that were pending for too long were given up');
    const events = await deleteEvents(db, signal);
    if (events > 0) log.info({ events }, 'old events were deleted');
    await deleteOldTraces(db, signal);
  });
}

async function giveUpDeliveries(parts: CleanEventsParts, signal: AbortSignal): Promise<number> {
  let deliveries = 0;
  let after: string | null = null;
  do {
    const owed = await listOwedEndpoints(parts.db, after, BATCH);
    for (const { id } of owed.filter(({ isOverdue }) => isOverdue)) {
      // Until there is none left: a batch is also small when attempts are recorded meanwhile.
      for (let canceled = 1; canceled > 0 && !signal.aborted; deliveries += canceled) {
        canceled = await giveUpBatch(parts, id);
      }
    }
    after = owed.at(-1)?.id ?? null;
  } while (after !== null && !signal.aborted);
  return deliveries;
}

async function giveUpBatch({ db, ledger }: CleanEventsParts, endpointId: string): Promise<number> {
  return transaction(db, async (tx) => {
    const isEnabled = await lockOverdueEndpoint(tx, endpointId);
    if (isEnabled) await ledger.enqueue(tx, deliverWebhooks, { endpointId }, { requestId: null });
    return cancelOldDeliveries(tx, endpointId, BATCH);
  });
}

async function deleteEvents(db: Database, signal: AbortSignal): Promise<number> {
  let events = 0;
  for (let rows = 1; rows > 0 && !signal.aborted; ) {
    const deleted = await deleteOldEvents(db, BATCH);
    events += deleted.events;
    rows = deleted.rows;
  }
  return events;
}
