import type { Queryable, Transaction } from './client.ts';
import type { QueuePause } from './generated/client.ts';

export type { QueuePause } from './generated/client.ts';

/** Writes down that a queue is to stand still. False when that was written before. */
export async function insertPause(db: Queryable, queue: string): Promise<boolean> {
  return (
    (await db.$executeRaw`INSERT INTO queue_pause (queue) VALUES (${queue}) ON CONFLICT DO NOTHING`) ===
    1
  );
}

/** Takes back `insertPause`. False when there was nothing to take back. */
export async function deletePause(db: Queryable, queue: string): Promise<boolean> {
  return (await db.queuePause.deleteMany({ where: { queue } })).count === 1;
}

/** The queues that are to stand still, by name. */
export async function listPauses(db: Queryable): Promise<QueuePause[]> {
  return db.queuePause.findMany({ orderBy: { queue: 'asc' } });
}

/** Until the transaction ends nobody else pauses or resumes a queue. Reading goes on. */
export async function lockPauses(tx: Transaction): Promise<void> {
  await tx.$executeRaw`LOCK TABLE queue_pause IN SHARE ROW EXCLUSIVE MODE`;
}
