import type { Database } from './client.ts';
import { KEPT_SINCE } from './event-retention.ts';
import { Prisma } from './generated/client.ts';

/** Before all ids. */
const NIL = '00000000-0000-0000-0000-000000000000';

/** Rows of one statement. */
const PAGE = 1_000;

const FIRST_PLACE = Prisma.sql`
  COALESCE((SELECT min(seq) FROM event), (SELECT last_seq + 1 FROM event_log))`;

/** What is deleted of each table: an endpoint after what refers to it. */
const TRACES: readonly [table: Prisma.Sql, isTrace: Prisma.Sql][] = [
  [Prisma.sql`webhook_replay`, Prisma.sql`ended_at < ${KEPT_SINCE} AND end_seq < ${FIRST_PLACE}`],
  [Prisma.sql`webhook_subscription`, Prisma.sql`until_seq < ${FIRST_PLACE}`],
  [
    Prisma.sql`webhook_endpoint`,
    Prisma.sql`deleted_at < ${KEPT_SINCE}
      AND NOT EXISTS (SELECT 1 FROM webhook_delivery WHERE endpoint_id = trace.id)
      AND NOT EXISTS (SELECT 1 FROM event WHERE only_endpoint_id = trace.id)
      AND NOT EXISTS (SELECT 1 FROM webhook_replay WHERE endpoint_id = trace.id)
      AND NOT EXISTS (SELECT 1 FROM webhook_subscription WHERE endpoint_id = trace.id)`,
  ],
];

/**
 * Deletes what is about events that are all gone: replays that ended long ago, what endpoints listened to once, and
 * endpoints that were deleted long ago. Goes through the tables a page at a time, until `signal` fires. Returns how many
 * rows that were.
 */
export async function deleteOldTraces(db: Database, signal: AbortSignal): Promise<number> {
  let deleted = 0;
  for (const [table, isTrace] of TRACES) {
    let after: string | null = NIL;
    while (after !== null && !signal.aborted) {
      const page = await deletePage(db, table, isTrace, after);
      deleted += page.deleted;
      after = page.last;
    }
  }
  return deleted;
}

/** Deletes traces among the next rows by id. `last` is the last row that was looked at, null when there was none. */
async function deletePage(
  db: Database,
  table: Prisma.Sql,
  isTrace: Prisma.Sql,
  after: string,
): Promise<{ deleted: number; last: string | null }> {
  const [page] = await db.$queryRaw<{ deleted: number; last: string | null }[]>`
    WITH page AS MATERIALIZED (
      SELECT id FROM ${table} WHERE id > ${after}::uuid ORDER BY id LIMIT ${PAGE}
    ), deleted AS (
      DELETE FROM ${table} AS trace USING page WHERE trace.id = page.id AND ${isTrace} RETURNING 1
    )
    SELECT (SELECT count(*)::int FROM deleted) AS deleted, (SELECT id FROM page ORDER BY id DESC LIMIT 1) AS last`;
  return page ?? { deleted: 0, last: null };
}
