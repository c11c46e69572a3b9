import type { Database, Transaction } from '@gatehouse/db/client';
import { isDatabaseUnavailable } from '@gatehouse/db/errors';
import { GroupCommit } from '@gatehouse/db/group-commit';
import { settleJob, settleJobs } from '@gatehouse/db/jobs';
import { transaction } from '@gatehouse/db/transaction';

/** What a job does to the database. */
export type Effect = (tx: Transaction) => Promise<void>;

/** What many jobs do to it together: the same as one after the other, in the order of the items. */
export type BatchEffect<Item> = (tx: Transaction, items: readonly Item[]) => Promise<void>;

/**
 * Applies the effect and pays the debt, in one transaction. False when the job was settled before: then the effect
 * is not applied.
 */
export async function settleAlone(db: Database, jobId: string, effect: Effect): Promise<boolean> {
  return transaction(db, async (tx) => {
    if (!(await settleJob(tx, jobId))) return false;
    await effect(tx);
    return true;
  });
}

/**
 * `settleAlone` for jobs that share an effect: those that come while one transaction is under way share the next.
 * When it fails each is tried alone, so that a bad one never fails its neighbours.
 */
export interface SettlementGroup<Item> {
  settle(jobId: string, item: Item): Promise<boolean>;
}

/** Enough that a commit is a small part of the cost of a job, and few enough that locks are held for milliseconds. */
const MAX_BATCH = 100;

export function createSettlementGroup<Item>(
  db: Database,
  effect: BatchEffect<Item>,
): SettlementGroup<Item> {
  const group = new GroupCommit<{ jobId: string; item: Item }, boolean>({
    maxBatch: MAX_BATCH,
    isFaultOfOne: (error) => !isDatabaseUnavailable(error),
    commit: (debts) =>
      transaction(db, async (tx) => {
        const jobIds = debts.map(({ jobId }) => jobId);
        const owed = new Set(await settleJobs(tx, jobIds));
        // Taken out as it is counted: a job that is delivered twice may be in the batch twice.
        const isFirst = debts.map(({ jobId }) => owed.delete(jobId));
        const items = debts.filter((_, index) => isFirst[index]).map(({ item }) => item);
        if (items.length > 0) await effect(tx, items);
        return isFirst;
      }),
  });
  return { settle: (jobId, item) => group.add({ jobId, item }) };
}
