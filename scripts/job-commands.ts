import { recordAct } from '@gatehouse/db/audit';
import type { Database, Transaction } from '@gatehouse/db/client';
import {
  countDeadJobs,
  countOwedJobs,
  type DeadFilter,
  listJobs,
  redriveDeadJobs,
  redriveJob,
} from '@gatehouse/db/dead-letters';
import { deletePause, insertPause, listPauses } from '@gatehouse/db/queue-pauses';
import { transaction } from '@gatehouse/db/transaction';
import { type Cancelation, cancelJob } from '@gatehouse/jobs/cancellation';
import { COMMAND_LINE, fromHere } from './command-line-actor.ts';

/**
 * The commands of `npm run jobs`. Each prints what it finds and does, writes what it changes to the audit log, and
 * resolves with whether all that was asked for could be done.
 */

export async function owed(db: Database): Promise<boolean> {
  const counts = await countOwedJobs(db);
  if (counts.length === 0) console.log('nothing is owed');
  else {
    printTable([
      ['queue', 'name', 'state', 'jobs', 'oldest'],
      ...counts.map(({ queue, name, state, count, oldestSeconds }) => [
        queue,
        name,
        state,
        `${count}`,
        age(oldestSeconds),
      ]),
    ]);
  }
  for (const { queue, pausedAt } of await listPauses(db)) {
    console.log(`${queue} is paused since ${pausedAt.toISOString()}`);
  }
  return true;
}

/** No page is longer, as for every list. */
const PAGE = 100;

export async function dead(db: Database, filter: DeadFilter, limit: number): Promise<boolean> {
  const matched = await countDeadJobs(db, filter);
  let shown = 0;
  let cursor: string | undefined;
  while (shown < limit) {
    const page = { limit: Math.min(PAGE, limit - shown), cursor };
    const { data, nextCursor } = await listJobs(db, { ...filter, state: 'dead' }, page);
    for (const { id, queue, name, subjectId, attempts, createdAt, lastError } of data) {
      console.log(`${id}  ${queue} ${name} of ${subjectId}`);
      console.log(
        `    ${attempts} attempts since ${createdAt.toISOString()}: ${firstLine(lastError)}`,
      );
    }
    shown += data.length;
    if (nextCursor === null) break;
    cursor = nextCursor;
  }
  console.log(
    matched > shown ? `${matched} jobs are dead, ${shown} are shown` : `${jobs(matched)} dead`,
  );
  return true;
}

export async function redrive(db: Database, filter: DeadFilter, dryRun: boolean): Promise<boolean> {
  const matched = await countDeadJobs(db, filter);
  if (dryRun) {
    console.log(`${jobs(matched)} dead and would be redriven`);
    return true;
  }
  const { queue = null, name = null } = filter;
  // Beforehand: a thousand at a time are committed, and what was begun is to be known.
  await recordAct(db, COMMAND_LINE, {
    action: 'jobs.redriven',
    subjectType: 'queue',
    subjectId: queue,
    details: fromHere({ name, matched }),
  });
  console.log(`${matched} dead, ${await redriveDeadJobs(db, filter)} redriven`);
  return true;
}

export async function redriveById(
  db: Database,
  ids: readonly string[],
  dryRun: boolean,
): Promise<boolean> {
  return eachById(db, ids, { dryRun, done: 'redriven' }, async (tx, id) => {
    const redriven = await redriveJob(tx, id);
    if (redriven === null) return null;
    return { job: redriven.job, refusal: redriven.isRedriven ? null : 'it is dispatched' };
  });
}

export async function cancel(
  db: Database,
  ids: readonly string[],
  dryRun: boolean,
): Promise<boolean> {
  return eachById(db, ids, { dryRun, done: 'canceled' }, cancelJob);
}

/** Redis is not asked: the workers look at the table every second. */
export async function pause(db: Database, queue: string): Promise<boolean> {
  const isNew = await transaction(db, async (tx) => {
    const isNew = await insertPause(tx, queue);
    if (isNew) await recordPause(tx, 'queue.paused', queue);
    return isNew;
  });
  console.log(isNew ? `${queue} is paused` : `${queue} was paused before`);
  return true;
}

export async function resume(db: Database, queue: string): Promise<boolean> {
  const wasPaused = await transaction(db, async (tx) => {
    const wasPaused = await deletePause(tx, queue);
    if (wasPaused) await recordPause(tx, 'queue.resumed', queue);
    return wasPaused;
  });
  console.log(wasPaused ? `${queue} is resumed` : `${queue} was not paused`);
  return true;
}

async function recordPause(
  tx: Transaction,
  action: 'queue.paused' | 'queue.resumed',
  queue: string,
): Promise<void> {
  const subject = { subjectType: 'queue', subjectId: queue } as const;
  await recordAct(tx, COMMAND_LINE, { action, ...subject, details: fromHere() });
}

/** Thrown to have a transaction rolled back. */
class OnlyTried extends Error {}

/** Each job in a transaction of its own: one that cannot be changed does not keep the others from it. */
async function eachById(
  db: Database,
  ids: readonly string[],
  { dryRun, done }: { dryRun: boolean; done: 'redriven' | 'canceled' },
  change: (tx: Transaction, id: string) => Promise<Cancelation | null>,
): Promise<boolean> {
  let isAllDone = true;
  for (const id of ids) {
    const refusal = await refusalOf(db, dryRun, async (tx) => {
      const changed = await change(tx, id);
      if (changed?.refusal === null) {
        const { name, subjectId: about } = changed.job;
        await recordAct(tx, COMMAND_LINE, {
          action: `job.${done}`,
          subjectType: 'job',
          subjectId: id,
          details: fromHere({ name, about }),
        });
      }
      return changed;
    });
    if (refusal === null) console.log(`${id} ${dryRun ? 'would be' : 'is'} ${done}`);
    else console.error(`${id} is not ${done}: ${refusal}`);
    isAllDone &&= refusal === null;
  }
  return isAllDone;
}

/** A dry run does all of it, and takes it back. */
async function refusalOf(
  db: Database,
  dryRun: boolean,
  change: (tx: Transaction) => Promise<{ refusal: string | null } | null>,
): Promise<string | null> {
  let refusal: string | null = null;
  try {
    await transaction(db, async (tx) => {
      const changed = await change(tx);
      refusal = changed === null ? 'there is no such job, or it is done' : changed.refusal;
      if (dryRun) throw new OnlyTried();
    });
  } catch (error) {
    if (!(error instanceof OnlyTried)) throw error;
  }
  return refusal;
}

function printTable(rows: readonly (readonly string[])[]): void {
  const widths = rows[0]?.map((_, column) =>
    Math.max(...rows.map((row) => row[column]?.length ?? 0)),
  );
  for (const row of rows) {
    console.log(
      row
        .map((cell, column) => cell.padEnd(widths?.[column] ?? 0))
        .join('  ')
        .trimEnd(),
    );
  }
}

const jobs = (count: number): string => (count === 1 ? '1 job is' : `${count} jobs are`);

const firstLine = (text: string | null): string => text?.split('\n', 1)[0] ?? 'no error is known';

function age(seconds: number): string {
  if (seconds < 60) return `${Math.floor(seconds)} s`;
  if (seconds < 3_600) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 172_800) return `${Math.floor(seconds / 3_600)} h`;
  return `${Math.floor(seconds / 86_400)} days`;
}
