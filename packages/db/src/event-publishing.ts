import type { Queryable, Transaction } from './client.ts';
import { lockEventLog } from './event-log.ts';
import { type FannedEvent, type FannedOut, fanOut, planFans } from './webhook-fan-out.ts';
import { lockListeners } from './webhook-listeners.ts';

/** Held by whoever publishes, until his transaction ends. Nothing else of ours has this number. */
const PUBLISHER_LOCK = 7_431_001;

export interface Published {
  events: number;
  deliveries: number;
  /** Those that have something to do, each of which is owed its `deliver-webhooks`. */
  endpoints: FannedOut[];
}

/**
 * Gives up to `limit` events that have none their place in the log, in the order in which they happened, and each
 * endpoint that listens its deliveries; fewer events when they make many deliveries, but at least one. Null when somebody
 * else does so right now.
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
  const unpublished = await tx.$queryRaw<FannedEvent[]>`
    SELECT id, account_id AS "accountId", type, only_endpoint_id AS "onlyEndpointId", request_id AS "requestId"
    FROM event WHERE seq IS NULL ORDER BY insertion LIMIT ${limit}`;
  if (unpublished.length === 0) return { events: 0, deliveries: 0, endpoints: [] };
  const { first, fans } = planFans(unpublished, await lockListeners(tx, unpublished));
  await append(tx, lastSeq, first);
  return { events: first.length, ...(await fanOut(tx, fans)) };
}

/** Gives events the places after `lastSeq`, the last of the log, which the transaction holds. */
async function append(
  tx: Transaction,
  lastSeq: bigint,
  events: readonly FannedEvent[],
): Promise<void> {
  const appended = await tx.$executeRaw`
    UPDATE event SET seq = ${lastSeq}::bigint + chosen.place
    FROM unnest(${events.map(({ id }) => id)}::uuid[]) WITH ORDINALITY AS chosen (id, place)
    WHERE event.id = chosen.id`;
  if (appended !== events.length) throw new Error('an event was deleted before it had its place');
  await tx.$executeRaw`UPDATE event_log SET last_seq = ${lastSeq}::bigint + ${appended}`;
}

/** Seconds since the first of the unpublished events happened, by the clock of the database; null when there is none. */
export async function unpublishedSeconds(db: Queryable): Promise<number | null> {
  const [oldest] = await db.$queryRaw<{ seconds: number }[]>`
    SELECT GREATEST(0, extract(epoch FROM clock_timestamp() - created_at))::float8 AS seconds
    FROM event WHERE seq IS NULL ORDER BY insertion LIMIT 1`;
  return oldest?.seconds ?? null;
}
