import type { Database, Queryable } from '@gatehouse/db/client';
import { deletePause, insertPause, listPauses, lockPauses } from '@gatehouse/db/queue-pauses';
import { transaction } from '@gatehouse/db/transaction';
import type { JobQueue } from './queues.ts';

/**
 * Has a queue stand still: what is owed there waits, what is running ends. Holds until `resumeQueue`, also when Redis
 * loses its data: the pause is a row, and BullMQ is only told of it.
 *
 * @throws when Redis does not answer; the pause is written all the same, and the workers apply it
 */
export async function pauseQueue(db: Database, queue: JobQueue): Promise<void> {
  await insertPause(db, queue.name);
  await applyPauses(db, [queue]);
}

/**
 * Has a queue run again.
 *
 * @throws when Redis does not answer; the pause is over all the same, and the workers apply that
 */
export async function resumeQueue(db: Database, queue: JobQueue): Promise<void> {
  await deletePause(db, queue.name);
  await applyPauses(db, [queue]);
}

/**
 * Takes all that Redis has of a queue; the sweep brings back what is owed. BullMQ forgets the pause as well, and is told
 * of it again at once.
 *
 * @throws when jobs are running, unless forced: these run on, and settle once
 */
export async function obliterateQueue(
  db: Database,
  queue: JobQueue,
  { force }: { force: boolean },
): Promise<void> {
  await queue.obliterate({ force });
  await applyPauses(db, [queue]);
}

/** Makes BullMQ agree with the table, either way. Any number of processes may do so at once. */
export async function applyPauses(db: Database, queues: readonly JobQueue[]): Promise<void> {
  if (!(await disagree(db, queues))) return;
  // Looked at again under the lock: whoever pauses or resumes right now comes before, or after, and never in between.
  await transaction(db, async (tx) => {
    await lockPauses(tx);
    const paused = await namesOfPaused(tx);
    for (const queue of queues) {
      const isToPause = paused.has(queue.name);
      if ((await queue.isPaused()) === isToPause) continue;
      await (isToPause ? queue.pause() : queue.resume());
    }
  });
}

async function disagree(db: Database, queues: readonly JobQueue[]): Promise<boolean> {
  const told = await Promise.all(queues.map((queue) => queue.isPaused()));
  const paused = await namesOfPaused(db);
  return queues.some((queue, index) => paused.has(queue.name) !== told[index]);
}

async function namesOfPaused(db: Queryable): Promise<ReadonlySet<string>> {
  return new Set((await listPauses(db)).map(({ queue }) => queue));
}
