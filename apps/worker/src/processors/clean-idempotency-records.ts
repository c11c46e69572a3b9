import type { Database } from '@gatehouse/db/client';
import { deleteExpiredRecords } from '@gatehouse/db/idempotency-records';
import { cleanIdempotencyRecords } from '@gatehouse/jobs/definitions/clean-idempotency-records';
import { processSchedule, type ScheduleProcessor } from '../processor.ts';

const BATCH = 1_000;

/**
 * Deletes expired answers until none is left, each batch by itself. Rounds that overlap share the work; one that is
 * cut short leaves the rest to the next.
 */
export function createCleanIdempotencyRecords({ db }: { db: Database }): ScheduleProcessor {
  return processSchedule(cleanIdempotencyRecords, async ({ signal, log }) => {
    let records = 0;
    let batch = BATCH;
    while (batch === BATCH && !signal.aborted) {
      batch = await deleteExpiredRecords(db, BATCH);
      records += batch;
    }
    if (records > 0) log.info({ records }, 'expired idempotency records were deleted');
  });
}
