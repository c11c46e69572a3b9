import type { Queryable, Transaction } from './client.ts';
import { lockEventLog } from './event-log.ts';
import { type FannedOut, fanOut, type PublishedEvent } from './webhook-fan-out.ts';

/** Held by whoever publishes, until his transaction ends. Nothing else of ours has this number. */
const PUBLISHER_LOCK = 7_431_001;

export interface Published {
  events: number;
  deliveries: number;
  /** Those that have something to do now, each of which is owed its `deliver-webhooks`. */
  endpoints: FannedOut[];
}

/**
 * Gives up to `limit` events that have none their place in the log, in the order in which they happened, and each
 * endpoint that listens its deliveries. Null when somebody else does so right now.
 *
 * What was committed before another change was begun comes before it. The places follow one another without a gap, since
 * the log is locked for as long as they are not committed.
 */
export async function publishEvents(tx: Transaction, limit: number): Promise<Published | null> {
  const [attempt] = await tx.$queryRaw<{ isMine: boolean }[]>`
    SELECT pg_try_advisory_xact_lock(${PUBLISHER_LOCK}::bigint) AS "isMine"`;
  if (!attempt?.isMine) return null;
  const lastSeq = await lockEventLog(tx);
  // A statement of its own after the lock: it sees everything that was committed by then.
  const events = await tx.$queryRaw<PublishedEvent[]>`
    WITH numbered AS MATERIALIZED (
      SELECT id, ${lastSeq}::bigint + row_number() OVER (ORDER BY insertion) AS seq FROM (
        SELECT id, insertion FROM event WHERE seq IS NULL ORDER BY insertion LIMIT ${limit}
      ) AS unpublished
    ), published AS (
      UPDATE event SET seq = numbered.seq FROM numbered WHERE event.id = numbered.id
      RETURNING event.id, event.account_id, event.type, event.seq, event.only_endpoint_id, event.request_id
    ), log AS (
      UPDATE event_log SET last_seq = last_seq + (SELECT count(*) FROM published)
    )
    SELECT id, account_id AS "accountId", type, only_endpoint_id AS "onlyEndpointId", request_id AS "requestId"
    FROM published ORDER BY seq`;
  return { events: events.length, ...(await fanOut(tx, events)) };
}

/** Seconds since the first of the unpublished events happened, by the clock of the database; null when there is none. */
export async function unpublishedSeconds(db: Queryable): Promise<number | null> {
  const [oldest] = await db.$queryRaw<{ seconds: number }[]>`
    SELECT GREATEST(0, extract(epoch FROM clock_timestamp() - created_at))::float8 AS seconds
    FROM event WHERE seq IS NULL ORDER BY insertion LIMIT 1`;
  return oldest?.seconds ?? null;
}
