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

const DISPATCHED = Prisma.sql`job.id, job.queue, job.name, job.payload, job.generation, job.priority,
  job.group_key AS "groupKey", job.request_id AS "requestId"`;

/**
 * Takes up to `limit` jobs of a queue that are due and belong to no group, and marks them as dispatched: by
 * priority, and of one priority those first that are due longest. They come back in that order.
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
    WITH due AS (
      SELECT due.id FROM generate_series(0, 9) AS level
      CROSS JOIN LATERAL (
        SELECT id FROM job
        WHERE state = 'waiting' AND group_key IS NULL AND queue = ${queue} AND priority = level AND run_at <= now()
        ORDER BY run_at LIMIT ${limit}
        FOR UPDATE SKIP LOCKED
      ) AS due
      LIMIT ${limit}
    ), job AS (
      UPDATE job SET state = 'dispatched', dispatched_at = now() FROM due WHERE job.id = due.id
      RETURNING job.*
    )
    SELECT ${DISPATCHED} FROM job ORDER BY priority, run_at`;
}

/** A group's first job that is not dead: the only one that may run. */
interface GroupHead {
  id: string;
  groupKey: string;
  isDue: boolean;
}

export interface GroupScan {
  jobs: DispatchedJob[];
  /** Where the next scan goes on; null when this one has seen the last group. */
  next: string | null;
}

/**
 * `takeDueJobs` for jobs in groups: of each group its first that is not dead, when it is due. Looks at `limit` groups
 * after the given one; what waits behind a head costs nothing.
 *
 * @throws when another relay took a job of the same group at the same moment: then nothing is taken
 */
export async function takeGroupHeads(
  db: Database,
  queue: string,
  { after, limit }: { after: string | null; limit: number },
): Promise<GroupScan> {
  const heads = await db.$queryRaw<GroupHead[]>`
    WITH RECURSIVE head AS (
      (${headAfter(queue, Prisma.sql`${after ?? ''}`)})
      UNION ALL
      SELECT following.* FROM head CROSS JOIN LATERAL (${headAfter(queue, Prisma.sql`head.group_key`)}) AS following
    )
    SELECT id, group_key AS "groupKey", state = 'waiting' AND run_at <= now() AS "isDue" FROM head LIMIT ${limit}`;
  const ids = heads.filter(({ isDue }) => isDue).map(({ id }) => id);
  const jobs = ids.length === 0 ? [] : await takeJobs(db, ids);
  return { jobs, next: heads.length < limit ? null : (heads.at(-1)?.groupKey ?? null) };
}

const headAfter = (queue: string, groupKey: Prisma.Sql): Prisma.Sql => Prisma.sql`
  SELECT id, group_key, state, run_at FROM job
  WHERE queue = ${queue} AND group_key > ${groupKey} AND state <> 'dead'
  ORDER BY group_key, sequence LIMIT 1`;

/** The next job of a group, taken right after the one before it is over; empty when none is due, or one runs. */
export async function takeNextOfGroup(
  db: Database,
  queue: string,
  groupKey: string,
): Promise<DispatchedJob[]> {
  const [head] = await db.$queryRaw<{ id: string; isDue: boolean }[]>`
    SELECT id, state = 'waiting' AND run_at <= now() AS "isDue" FROM job
    WHERE queue = ${queue} AND group_key = ${groupKey} AND state <> 'dead'
    ORDER BY sequence LIMIT 1`;
  return head?.isDue ? takeJobs(db, [head.id]) : [];
}

async function takeJobs(db: Database, ids: readonly string[]): Promise<DispatchedJob[]> {
  return db.$queryRaw<DispatchedJob[]>`
    UPDATE job SET state = 'dispatched', dispatched_at = now()
    FROM (
      SELECT id FROM job WHERE id = ANY(${ids}::uuid[]) AND state = 'waiting' FOR UPDATE SKIP LOCKED
    ) AS due
    WHERE job.id = due.id
    RETURNING ${DISPATCHED}`;
}

/** One dispatch of a job. */
export type Dispatch = Pick<DispatchedJob, 'id' | 'generation'>;

/** Gives jobs back to the relay that could not be handed to Redis. */
export async function returnJobs(db: Database, jobs: readonly Dispatch[]): Promise<void> {
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
export async function redispatchJobs(db: Database, jobs: readonly Dispatch[]): Promise<number> {
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
