import type { Database, Queryable, Transaction } from './client.ts';
import { type Job, type JobState, Prisma } from './generated/client.ts';
import { IN_LOCK_ORDER } from './jobs.ts';
import { type Page, type PageRequest, pageArguments, toPage } from './page.ts';

/** A job that is owed, as operators see it. */
export type StoredJob = Job;
export type { JobState } from './generated/client.ts';

export interface JobFilter {
  state?: JobState | undefined;
  queue?: string | undefined;
  name?: string | undefined;
}

/** What is owed, newest first. */
export async function listJobs(
  db: Queryable,
  { state, queue, name }: JobFilter,
  request: PageRequest,
): Promise<Page<StoredJob>> {
  const { where, ...page } = pageArguments(request);
  const rows = await db.job.findMany({
    ...page,
    where: { ...where, ...(state && { state }), ...(queue && { queue }), ...(name && { name }) },
  });
  return toPage(rows, request);
}

export async function findJob(db: Queryable, id: string): Promise<StoredJob | null> {
  return db.job.findUnique({ where: { id } });
}

/** The job, locked until the transaction ends: nobody dispatches or settles it meanwhile. */
export async function lockJob(tx: Transaction, id: string): Promise<StoredJob | null> {
  await tx.$executeRaw`SELECT 1 FROM job WHERE id = ${id}::uuid FOR UPDATE`;
  return findJob(tx, id);
}

/** Whether another job of this name is owed for the same row. Only certain under a lock of that row. */
export async function isOwedByAnother(
  tx: Transaction,
  { id, name, subjectId }: StoredJob,
): Promise<boolean> {
  return (await tx.job.count({ where: { name, subjectId, id: { not: id } } })) > 0;
}

/** The last error stays, for whoever wonders why the job is late. */
const REDRIVEN = Prisma.sql`
  state = 'waiting', attempts = 0, generation = job.generation + 1, run_at = now()`;

export interface Redrive {
  /** As it is after it. */
  job: StoredJob;
  /** False when the job is dispatched, and was left alone. */
  isRedriven: boolean;
}

/**
 * Gives a job that is dead, or waits for a retry, all of its attempts anew, the first of them now. Null when there is
 * no such job.
 *
 * A job that waits and has not been tried is left as it is: it comes at its time, and a reminder that came before its
 * time would settle without reminding. One that was put off comes now. So of many redrives at once only the first
 * changes something.
 */
export async function redriveJob(tx: Transaction, id: string): Promise<Redrive | null> {
  const job = await lockJob(tx, id);
  if (job === null) return null;
  if (job.state === 'dispatched') return { job, isRedriven: false };
  const isPutOff = job.lastError !== null && job.runAt.getTime() > Date.now();
  if (job.state === 'waiting' && job.attempts === 0 && !isPutOff) return { job, isRedriven: true };
  await tx.$executeRaw`UPDATE job SET ${REDRIVEN} WHERE id = ${id}::uuid`;
  return { job: await tx.job.findUniqueOrThrow({ where: { id } }), isRedriven: true };
}

export type DeadFilter = Pick<JobFilter, 'queue' | 'name'>;

export async function countDeadJobs(db: Queryable, { queue, name }: DeadFilter): Promise<number> {
  return db.job.count({
    where: { state: 'dead', ...(queue && { queue }), ...(name && { name }) },
  });
}

/** Rows that one statement takes: few enough that it ends within milliseconds. */
const BATCH = 1_000;

/**
 * Redrives dead jobs, oldest first, `atMost` of them, and returns how many. A statement for every 1,000: with a
 * transaction all or none of them, with the client each statement by itself.
 *
 * Of several at once each job goes to one: the others wait for it. To skip what it has locked would let an attempt
 * that runs twice be recorded as one that found nothing, and roll back the other.
 */
export async function redriveDeadJobs(
  db: Queryable,
  filter: DeadFilter,
  atMost = Number.POSITIVE_INFINITY,
): Promise<number> {
  let redriven = 0;
  while (redriven < atMost) {
    const limit = Math.min(BATCH, atMost - redriven);
    const count = await redriveBatch(db, filter, limit);
    redriven += count;
    if (count < limit) break;
  }
  return redriven;
}

async function redriveBatch(
  db: Queryable,
  {
    queue = null,
    name = null,
  }: { queue?: string | null | undefined; name?: string | null | undefined },
  limit: number,
): Promise<number> {
  return db.$executeRaw`
    UPDATE job SET ${REDRIVEN}
    FROM (
      SELECT job.id FROM job WHERE job.state = 'dead' AND job.id = ANY(ARRAY(
        SELECT id FROM job
        WHERE state = 'dead'
          AND (${queue}::text IS NULL OR queue = ${queue}) AND (${name}::text IS NULL OR name = ${name})
        ORDER BY id LIMIT ${limit}
      )) ${IN_LOCK_ORDER}
    ) AS dead
    WHERE job.id = dead.id`;
}

export interface OwedJobs {
  queue: string;
  name: string;
  state: JobState;
  count: number;
  /** Seconds since the oldest of them was caused. */
  oldestSeconds: number;
}

/** What is owed, counted by queue, name and state. Reads the whole table. */
export async function countOwedJobs(db: Database): Promise<OwedJobs[]> {
  return db.$queryRaw<OwedJobs[]>`
    SELECT queue, name, state, count(*)::int AS count,
      EXTRACT(EPOCH FROM now() - min(created_at))::float8 AS "oldestSeconds"
    FROM job GROUP BY queue, name, state ORDER BY queue, name, state`;
}
