import type { Database } from '@gatehouse/db/client';
import type { StoredJob } from '@gatehouse/db/dead-letters';
import { newId } from '@gatehouse/domain/id';

/** What a test has another way; `payload` and `subjectId` are of the mail with the job's own id. */
export type DeadJobChanges = Partial<Omit<StoredJob, 'id' | 'subjectId' | 'payload'>>;

/** Jobs to send mails, which there need not be, that have failed for good. Their ids, in the order of creation. */
export async function addDeadJobs(
  db: Database,
  count: number,
  changes: DeadJobChanges = {},
): Promise<string[]> {
  const ids = Array.from({ length: count }, () => newId());
  await db.job.createMany({
    data: ids.map((id) => ({
      id,
      queue: 'mail',
      name: 'send-email',
      subjectId: id,
      payload: { emailId: id },
      state: 'dead',
      runAt: new Date('2026-11-20T08:00:00.000Z'),
      attempts: 110,
      generation: 110,
      lastError: 'Error: 451 mailbox unavailable',
      ...changes,
    })),
  });
  return ids;
}
