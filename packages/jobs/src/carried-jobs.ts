import type { Database } from '@gatehouse/db/client';
import { lockJob, type Redrive, redriveJob, type StoredJob } from '@gatehouse/db/dead-letters';
import type { Dispatch } from '@gatehouse/db/jobs';
import { transaction } from '@gatehouse/db/transaction';
import { type Cancelation, cancelJob } from './cancellation.ts';

/** One dispatch of a job as Redis holds it: waiting, running, or what is left of it. */
export interface CarriedDispatch {
  dispatch: Dispatch;
  /** What BullMQ says of it now: `wait`, `active`, `failed`, … */
  state(): Promise<string>;
  /** Takes it out of Redis. Without effect when it is not there. @throws when a worker holds it */
  remove(): Promise<void>;
}

const DISPATCH_ID = /^([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})-(\d{1,9})$/;

/** What `dispatchId` was made of; null for what is no dispatch of the ledger, such as a round of a schedule. */
export function parseDispatchId(bullId: string): Dispatch | null {
  const [, id, generation] = DISPATCH_ID.exec(bullId) ?? [];
  return id === undefined ? null : { id, generation: Number(generation) };
}

/**
 * Redrives the job of a dispatch that failed, and takes the dispatch out of Redis: the job has gone on to another, or
 * is settled. Null when it is settled.
 *
 * A process that dies in between leaves the dispatch where it was; to do it again does no harm.
 */
export async function redriveCarried(
  db: Database,
  { dispatch, remove }: CarriedDispatch,
): Promise<Redrive | null> {
  const redrive = await transaction(db, (tx) => redriveJob(tx, dispatch.id));
  await remove();
  return redrive;
}

/**
 * Forgives the debt that a dispatch stands for, and takes it out of Redis. Null when it stands for none: it is history
 * of a job that is settled or has gone on, and only that history is gone.
 *
 * The job is canceled in a transaction around the removal, so that no worker settles it meanwhile. When BullMQ refuses
 * since the job runs, nothing is canceled; when the commit fails, the sweep finds that Redis does not know the job.
 *
 * @throws what `remove` throws; then nothing has changed
 */
export async function cancelCarried(
  db: Database,
  { dispatch, state, remove }: CarriedDispatch,
): Promise<Cancelation | null> {
  return transaction(db, async (tx) => {
    const job = await lockJob(tx, dispatch.id);
    const isOwed = job !== null && standsFor(dispatch, await state(), job);
    const cancelation = isOwed ? await cancelJob(tx, job.id, dispatch) : null;
    if (cancelation === null || cancelation.refusal === null) await remove();
    return cancelation;
  });
}

/** Whether this is the dispatch that the job is owed, or the failure that it now waits, or lies dead, after. */
function standsFor({ generation }: Dispatch, state: string, job: StoredJob): boolean {
  if (state === 'completed' || state === 'unknown') return false;
  if (generation === job.generation) return true;
  return state === 'failed' && job.state !== 'dispatched' && generation + 1 === job.generation;
}
