import type { Database } from './client.ts';
import { Prisma } from './generated/client.ts';
import { DISPATCHED, type DispatchedJob } from './jobs.ts';

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
