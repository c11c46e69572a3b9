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
  /** Milliseconds after that. */
  delayMs: number;
  /** From 0, which goes first, to 9. */
  priority: number;
  /** Jobs of a queue with the same key run one at a time, in the order of their inserts. They are never `dispatched`. */
  groupKey: string | null;
  requestId: string | null;
}

/** What BullMQ is told of a job. */
export interface DispatchedJob {
  id: string;
  queue: string;
  name: string;
  payload: Record<string, string>;
  generation: number;
  priority: number;
  groupKey: string | null;
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
    delays: jobs.map((job) => job.delayMs),
    priorities: jobs.map((job) => job.priority),
    groupKeys: jobs.map((job) => job.groupKey),
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
    INSERT INTO job (id, queue, name, subject_id, payload, state, run_at, priority, group_key, request_id, dispatched_at)
    SELECT id, queue, name, subject_id, payload, state,
      COALESCE(run_at, now()) + delay_ms * interval '1 millisecond', priority, group_key, request_id, clock_timestamp()
    FROM unnest(
      ${c.ids}::uuid[], ${c.queues}::text[], ${c.names}::text[], ${c.subjectIds}::uuid[], ${c.payloads}::jsonb[],
      ${c.states}::job_state[], ${c.runAts}::timestamptz[], ${c.delays}::float8[], ${c.priorities}::int[], ${c.groupKeys}::text[],
      ${c.requestIds}::text[]
    ) AS input (id, queue, name, subject_id, payload, state, run_at, delay_ms, priority, group_key, request_id)`;
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

/**
 * Locks rows of `job`. Whoever locks several takes them in this order, which is that of `insertSingleJobs`, or passes those
 * that are locked: else two would wait for each other.
 */
export const IN_LOCK_ORDER = Prisma.sql`ORDER BY job.subject_id, job.id FOR UPDATE OF job`;

/** `settleJob` for many: the ids of those that were still owed. */
export async function settleJobs(
  tx: Transaction,
  jobIds: readonly string[],
): Promise<ReadonlySet<string>> {
  const rows = await tx.$queryRaw<{ id: string }[]>`
    DELETE FROM job WHERE id IN (
      SELECT id FROM job WHERE id = ANY(${jobIds}::uuid[]) ${IN_LOCK_ORDER}
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
  /** Whether it is an attempt less. */
  isCounted: boolean;
  /** Milliseconds until the next attempt; null when there is none left. */
  retryInMs: number | null;
}

/** Writes a failed attempt to the job's row. Without effect when the job is settled or has moved on. */
export async function recordFailure(db: Queryable, failure: Failure): Promise<void> {
  const { jobId, generation, error, isCounted, retryInMs } = failure;
  await db.$executeRaw`
    UPDATE job SET
      attempts = attempts + ${isCounted ? 1 : 0},
      generation = generation + 1,
      state = ${retryInMs === null ? 'dead' : 'waiting'}::job_state,
      run_at = now() + make_interval(secs => ${(retryInMs ?? 0) / 1000}),
      last_error = ${error}
    WHERE id = ${jobId}::uuid AND generation = ${generation} AND state = 'dispatched'`;
}

export interface OwedJob {
  /** Failed attempts so far. */
  attempts: number;
  /** Milliseconds since it was caused, by the database's clock. */
  ageMs: number;
}

/** How it stands with a job; null when it is settled. */
export async function findOwed(db: Queryable, jobId: string): Promise<OwedJob | null> {
  const [job] = await db.$queryRaw<OwedJob[]>`
    SELECT attempts, (EXTRACT(EPOCH FROM now() - created_at) * 1000)::float8 AS "ageMs"
    FROM job WHERE id = ${jobId}::uuid`;
  return job ?? null;
}

/** Of each dispatch, whether its job is owed and has had no other since. */
export async function areLatest(
  db: Queryable,
  dispatches: readonly Dispatch[],
): Promise<boolean[]> {
  const owed = await db.job.findMany({
    where: { id: { in: dispatches.map(({ id }) => id) } },
    select: { id: true, generation: true },
  });
  const generations = new Map(owed.map(({ id, generation }) => [id, generation]));
  return dispatches.map(({ id, generation }) => generations.get(id) === generation);
}

/** What makes a `DispatchedJob` of a row of `job`. */
export const DISPATCHED = Prisma.sql`job.id, job.queue, job.name, job.payload, job.generation, job.priority,
  job.group_key AS "groupKey", job.request_id AS "requestId"`;

/** One dispatch of a job. */
export type Dispatch = Pick<DispatchedJob, 'id' | 'generation'>;

/** Locks those of these jobs that have had no other dispatch since. */
const stillDispatched = (jobs: readonly Dispatch[]): Prisma.Sql => Prisma.sql`
  SELECT job.id
  FROM job JOIN unnest(${jobs.map((job) => job.id)}::uuid[], ${jobs.map((job) => job.generation)}::int[])
    AS given (id, generation) ON job.id = given.id AND job.generation = given.generation
  WHERE job.state = 'dispatched' ${IN_LOCK_ORDER}`;

/** Gives jobs back to the relay that could not be handed to Redis. */
export async function returnJobs(db: Database, jobs: readonly Dispatch[]): Promise<void> {
  await db.$executeRaw`
    UPDATE job SET state = 'waiting' FROM (${stillDispatched(jobs)}) AS given WHERE job.id = given.id`;
}

/**
 * Gives jobs that Redis has lost a new dispatch, under a new generation. Returns how many it gave one: those that
 * were settled or have moved on since are left alone.
 */
export async function redispatchJobs(db: Database, jobs: readonly Dispatch[]): Promise<number> {
  return db.$executeRaw`
    UPDATE job SET state = 'waiting', generation = job.generation + 1
    FROM (${stillDispatched(jobs)}) AS lost WHERE job.id = lost.id`;
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
