import type { Database } from '@gatehouse/db/client';
import { cancelOldDeliveries, deleteOldEvents, deleteOldTraces } from '@gatehouse/db/old-events';
import { cleanEvents } from '@gatehouse/jobs/definitions/clean-events';
import { processSchedule, type ScheduleProcessor } from '../processor.ts';

/** Events of one transaction. */
const BATCH = 1_000;

/**
 * Deletes old events that nobody is owed any more, each batch by itself. Rounds that overlap take turns; one that is cut
 * short leaves the rest to the next.
 */
export function createCleanEvents({ db }: { db: Database }): ScheduleProcessor {
  return processSchedule(cleanEvents, async ({ signal, log }) => {
    let deliveries = 0;
    let events = 0;
    let done = 1;
    // Until there is nothing to do: a batch is also small when another round was at it.
    while (done > 0 && !signal.aborted) {
      const canceled = await cancelOldDeliveries(db, BATCH);
      const deleted = await deleteOldEvents(db, BATCH);
      deliveries += canceled;
      events += deleted;
      done = canceled + deleted;
    }
    if (deliveries > 0)
      log.warn({ deliveries }, 'deliveries that were pending for too long were given up');
    if (events > 0) log.info({ events }, 'old events were deleted');
    if (!signal.aborted) await deleteOldTraces(db);
  });
}
