import type { Database } from '@gatehouse/db/client';
import { deleteExpiredCredentials } from '@gatehouse/db/sessions';
import { cleanCredentials } from '@gatehouse/jobs/definitions/clean-credentials';
import { processSchedule, type ScheduleProcessor } from '../processor.ts';

const BATCH = 1_000;

/**
 * Deletes expired sessions and tokens until none is left, each batch by itself. Nobody is let in with one meanwhile:
 * who asks for it asks for its time as well.
 */
export function createCleanCredentials({ db }: { db: Database }): ScheduleProcessor {
  return processSchedule(cleanCredentials, async ({ signal, log }) => {
    let credentials = 0;
    let batch = -1;
    while (batch !== 0 && !signal.aborted) {
      batch = await deleteExpiredCredentials(db, BATCH);
      credentials += batch;
    }
    if (credentials > 0) log.info({ credentials }, 'expired credentials were deleted');
  });
}
