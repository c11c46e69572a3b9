import type { Database, Queryable, Transaction } from './client.ts';
import { Prisma } from './generated/client.ts';

/** A job that is owed. */
export interface NewJob {
  id: string;
  queue: string;
  name: string;
  subjectId: string;
  payload: Record<string, string>;
  /** `dispatched` when the inserting process hands it to Redis after its commit, `waiting` to leave it to the relay. */
  state: 'dispatched' | 'waiting';
  /** Not before; null is now, by the database's clock. */
  runAt: Date | null;
  requestId: string | null;
}

/** What BullMQ is told of a job. */
export interface DispatchedJob {
  id: string;
  queue: string;
  name: string;
  payload: Record<string, string>;
  generation: number;
  requestId: string | null;
}

/** Columns of jobs as arrays, for `unnest`: one statement whatever their number. */
export function jobColumns(jobs: readonly NewJob[]) {
  return {
    ids: jobs.map((job) => job.id),
    queues: jobs.map((job) => job.queue),
    names: jobs.map((job) => job.name),
    subjectIds: jobs.map((job) => job.subjectId),
    payloads: jobs.map((job) => JSON.stringify(job.payload)),
    states: jobs.map((job) => job.state),
    runAts: jobs.map((job) => job.runAt),
    requestIds: jobs.map((job) => job.requestId),
  };
}

/**
 * Inserts jobs in the transaction of what causes them.
 *
 * Their dispatch is timed by the statement and not by the transaction, which may have waited long for a lock: the
 * sweep would think them lost before they are committed.
 */
export async function insertJobs(tx: Transaction, jobs: readonly NewJob[]): Promise<void> {
  if (jobs.length === 0) return;
  const c = jobColumns(jobs);
  await tx.$executeRaw`
    INSERT INTO job (id, queue, name, subject_id, payload, state, run_at, request_id, dispatched_at)
    SELECT id, queue, name, subject_id, payload, state, COALESCE(run_at, now()), request_id, clock_timestamp()
    FROM unnest(
      ${c.ids}::uuid[], ${c.queues}::text[], ${c.names}::text[], ${c.subjectIds}::uuid[], ${c.payloads}::jsonb[],
      ${c.states}::job_state[], ${c.runAts}::timestamptz[], ${c.requestIds}::text[]
    ) AS input (id, queue, name, subject_id, payload, state, run_at, request_id)`;
}

/**
 * Pays the debt: deletes the job's row in the transaction of its effect.
 *
 * False when there is no row: the job was settled before, and the effect must not be applied. A second settler
 * waits here for the first to commit, so of two at once exactly one sees true.
 */
export async function settleJob(tx: Transaction, jobId: string): Promise<boolean> {
  return (await tx.$executeRaw`DELETE FROM job WHERE id = ${jobId}::uuid`) === 1;
}

/** `settleJob` for many: the ids of those that were still owed. */
export async function settleJobs(
  tx: Transaction,
  jobIds: readonly string[],
): Promise<ReadonlySet<string>> {
  const rows = await tx.$queryRaw<{ id: string }[]>`
    DELETE FROM job WHERE id IN (
      SELECT id FROM job WHERE id = ANY(${jobIds}::uuid[]) ORDER BY id FOR UPDATE
    ) RETURNING id`;
  return new Set(rows.map(({ id }) => id));
}

/** Withdraws the jobs of this name about the given row, wherever they are. */
export async function withdrawJobs(
  tx: Transaction,
  name: string,
  subjectId: string,
): Promise<void> {
  await tx.job.deleteMany({ where: { name, subjectId } });
}

export interface Failure {
  jobId: string;
  /** A failure is counted once, for the dispatch that it happened to. */
  generation: number;
  error: string;
  /** Milliseconds until the next attempt; null when there is none left. */
  retryInMs: number | null;
}

/** Writes a failed attempt to the job's row. Without effect when the job is settled or has moved on. */
export async function recordFailure(db: Queryable, failure: Failure): Promise<void> {
  const { jobId, generation, error, retryInMs } = failure;
  await db.$executeRaw`
    UPDATE job SET
      attempts = attempts + 1,
      generation = generation + 1,
      state = ${retryInMs === null ? 'dead' : 'waiting'}::job_state,
      run_at = now() + make_interval(secs => ${(retryInMs ?? 0) / 1000}),
      last_error = ${error}
    WHERE id = ${jobId}::uuid AND generation = ${generation} AND state = 'dispatched'`;
}

/** Failed attempts of a job so far; null when it is settled. */
export async function findAttempts(db: Queryable, jobId: string): Promise<number | null> {
  const job = await db.job.findUnique({ where: { id: jobId }, select: { attempts: true } });
  return job?.attempts ?? null;
}

/** Whether the job is owed and this is its latest dispatch. */
export async function isLatestDispatch(
  db: Queryable,
  { jobId, generation }: { jobId: string; generation: number },
): Promise<boolean> {
  return (await db.job.count({ where: { id: jobId, generation } })) === 1;
}

const DISPATCHED = Prisma.sql`job.id, job.queue, job.name, job.payload, job.generation, job.request_id AS "requestId"`;

/**
 * Takes up to `limit` jobs of a queue that are due and marks them as dispatched, oldest first.
 *
 * Several relays may do so at once: each row goes to one of them. A caller that dies before it has told Redis
 * leaves rows that the sweep finds.
 */
export async function takeDueJobs(
  db: Database,
  queue: string,
  limit: number,
): Promise<DispatchedJob[]> {
  return db.$queryRaw<DispatchedJob[]>`
    UPDATE job SET state = 'dispatched', dispatched_at = now()
    FROM (
      SELECT id FROM job
      WHERE state = 'waiting' AND queue = ${queue} AND run_at <= now()
      ORDER BY run_at LIMIT ${limit}
      FOR UPDATE SKIP LOCKED
    ) AS due
    WHERE job.id = due.id
    RETURNING ${DISPATCHED}`;
}

/** Gives jobs back to the relay that could not be handed to Redis. */
export async function returnJobs(db: Database, jobs: readonly DispatchedJob[]): Promise<void> {
  await db.$executeRaw`
    UPDATE job SET state = 'waiting'
    FROM unnest(${jobs.map((job) => job.id)}::uuid[], ${jobs.map((job) => job.generation)}::int[])
      AS given (id, generation)
    WHERE job.id = given.id AND job.generation = given.generation AND job.state = 'dispatched'`;
}

/**
 * Gives jobs that Redis has lost a new dispatch, under a new generation. Returns how many it gave one: those that
 * were settled or have moved on since are left alone.
 */
export async function redispatchJobs(
  db: Database,
  jobs: readonly DispatchedJob[],
): Promise<number> {
  return db.$executeRaw`
    UPDATE job SET state = 'waiting', generation = job.generation + 1
    FROM unnest(${jobs.map((job) => job.id)}::uuid[], ${jobs.map((job) => job.generation)}::int[])
      AS lost (id, generation)
    WHERE job.id = lost.id AND job.generation = lost.generation AND job.state = 'dispatched'`;
}

export interface DispatchedRange {
  /** Those that come after this one; null for the beginning. */
  after: Pick<SweptJob, 'id' | 'dispatchedAt'> | null;
  /** Dispatched at least this long ago, in milliseconds. */
  olderThanMs: number;
  limit: number;
}

export interface SweptJob extends DispatchedJob {
  dispatchedAt: Date;
}

/** Jobs that Redis should know of, in the order of their dispatch. */
export async function findDispatchedJobs(
  db: Database,
  range: DispatchedRange,
): Promise<SweptJob[]> {
  // Jobs of one commit share their time: without the id, a page that ends between them would lose the rest.
  const { dispatchedAt = null, id = null } = range.after ?? {};
  return db.$queryRaw<SweptJob[]>`
    SELECT ${DISPATCHED}, job.dispatched_at AS "dispatchedAt" FROM job
    WHERE state = 'dispatched'
      AND (dispatched_at, id) > (
        COALESCE(${dispatchedAt}::timestamptz, '-infinity'),
        COALESCE(${id}::uuid, '00000000-0000-0000-0000-000000000000')
      )
      AND dispatched_at < now() - make_interval(secs => ${range.olderThanMs / 1000})
    ORDER BY dispatched_at, id LIMIT ${range.limit}`;
}
