import type { Transaction } from './client.ts';

/** Whether a job of this name is owed about the given row. Only certain under a lock of that row. */
export async function isOwed(tx: Transaction, name: string, subjectId: string): Promise<boolean> {
  return (await tx.job.findFirst({ where: { name, subjectId }, select: { id: true } })) !== null;
}

/**
 * Has the jobs of this name about the given row run now instead of later. Those that are dispatched or dead are left
 * alone, so it waits for no run that is under way.
 */
export async function bringForward(
  tx: Transaction,
  name: string,
  subjectId: string,
): Promise<void> {
  await tx.$executeRaw`
    UPDATE job SET run_at = now()
    WHERE name = ${name} AND subject_id = ${subjectId}::uuid AND state = 'waiting' AND run_at > now()`;
}
