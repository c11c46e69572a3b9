import type { Queryable } from './client.ts';
import { Prisma } from './generated/client.ts';

/** What somebody needs to know of an endpoint who sends to it. */
export interface LaneEndpoint {
  id: string;
  accountId: string;
  url: string;
  /** The current one, and the one before while it is still valid. */
  sealedSecrets: readonly [Uint8Array, ...Uint8Array[]];
  rateLimitPerSecond: number | null;
  maxConcurrency: number;
  ordered: boolean;
  /** Failed attempts since the last success. */
  failures: number;
  /** Milliseconds for which nothing is to be sent; 0 when it may be sent to. */
  pausedForMs: number;
}

type LaneRow = Omit<LaneEndpoint, 'sealedSecrets'> & {
  sealedSecret: Uint8Array;
  previousSealedSecret: Uint8Array | null;
};

/** The endpoint as somebody needs it who sends to it; null when it is disabled or deleted. */
export async function readLane(db: Queryable, endpointId: string): Promise<LaneEndpoint | null> {
  const [row] = await db.$queryRaw<LaneRow[]>`
    SELECT id, account_id AS "accountId", url, sealed_secret AS "sealedSecret",
      CASE WHEN previous_secret_expires_at > now() THEN previous_sealed_secret END AS "previousSealedSecret",
      rate_limit_per_second AS "rateLimitPerSecond", max_concurrency AS "maxConcurrency", ordered, failures,
      GREATEST(0, EXTRACT(EPOCH FROM paused_until - clock_timestamp()) * 1000)::float8 AS "pausedForMs"
    FROM webhook_endpoint WHERE id = ${endpointId}::uuid AND disabled_at IS NULL AND deleted_at IS NULL`;
  if (row === undefined) return null;
  const { sealedSecret, previousSealedSecret, ...endpoint } = row;
  const previous = previousSealedSecret === null ? [] : [previousSealedSecret];
  return { ...endpoint, sealedSecrets: [sealedSecret, ...previous] };
}

/** An event that an endpoint is to be told now. */
export interface DueDelivery {
  id: string;
  sequence: bigint;
  /** Of this round, so far. */
  attempts: number;
  eventId: string;
  type: string;
  /** Of the event: RFC 3339, with milliseconds. */
  timestamp: string;
  /** JSON, as it was written down. */
  data: string;
}

export interface DueRange {
  limit: number;
  /** Those that the caller has already. */
  held: readonly string[];
  /** In the order of `sequence` alone, and so none that comes after one that is not due. */
  ordered: boolean;
}

const COLUMNS = Prisma.sql`delivery.id, delivery.sequence, delivery.attempts, delivery.event_id AS "eventId", event.type,
  to_char(event.created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS timestamp,
  event.data::text AS data`;

/** The next deliveries that are due at an endpoint, by the database's clock: at most `limit` of them. */
export async function takeDue(
  db: Queryable,
  endpointId: string,
  { limit, held, ordered }: DueRange,
): Promise<DueDelivery[]> {
  return ordered
    ? takeInOrder(db, endpointId, { limit, held })
    : db.$queryRaw<DueDelivery[]>`
        SELECT ${COLUMNS} FROM (
          SELECT id, sequence, attempts, event_id, next_attempt_at FROM webhook_delivery
          WHERE endpoint_id = ${endpointId}::uuid AND status = 'pending' AND next_attempt_at <= clock_timestamp()
            AND NOT id = ANY(${held}::uuid[])
          ORDER BY next_attempt_at, sequence LIMIT ${limit}
        ) AS delivery JOIN event ON event.id = delivery.event_id
        ORDER BY delivery.next_attempt_at, delivery.sequence`;
}

async function takeInOrder(
  db: Queryable,
  endpointId: string,
  { limit, held }: Pick<DueRange, 'limit' | 'held'>,
): Promise<DueDelivery[]> {
  const rows = await db.$queryRaw<(DueDelivery & { isDue: boolean })[]>`
    SELECT ${COLUMNS}, delivery.is_due AS "isDue" FROM (
      SELECT id, sequence, attempts, event_id, next_attempt_at <= clock_timestamp() AS is_due FROM webhook_delivery
      WHERE endpoint_id = ${endpointId}::uuid AND status = 'pending' AND NOT id = ANY(${held}::uuid[])
      ORDER BY sequence LIMIT ${limit}
    ) AS delivery JOIN event ON event.id = delivery.event_id
    ORDER BY delivery.sequence`;
  const end = rows.findIndex(({ isDue }) => !isDue);
  return (end === -1 ? rows : rows.slice(0, end)).map(({ isDue: _, ...delivery }) => delivery);
}

/**
 * Milliseconds until a run of an endpoint has something to do; null when nothing is pending there, or it is disabled. At
 * one that was deleted that is now: what is pending there is to be canceled.
 */
export async function nextDueInMs(db: Queryable, endpointId: string): Promise<number | null> {
  const [row] = await db.$queryRaw<{ dueInMs: number | null }[]>`
    SELECT CASE WHEN endpoint.deleted_at IS NULL THEN GREATEST(0, EXTRACT(EPOCH FROM
      GREATEST(next.next_attempt_at, endpoint.paused_until) - clock_timestamp()) * 1000) ELSE 0 END::float8 AS "dueInMs"
    FROM webhook_endpoint AS endpoint CROSS JOIN LATERAL (
      (SELECT next_attempt_at FROM webhook_delivery
        WHERE endpoint.ordered AND endpoint_id = endpoint.id AND status = 'pending'
        ORDER BY sequence LIMIT 1)
      UNION ALL
      (SELECT next_attempt_at FROM webhook_delivery
        WHERE NOT endpoint.ordered AND endpoint_id = endpoint.id AND status = 'pending'
        ORDER BY next_attempt_at LIMIT 1)
    ) AS next
    WHERE endpoint.id = ${endpointId}::uuid AND (endpoint.disabled_at IS NULL OR endpoint.deleted_at IS NOT NULL)`;
  return row?.dueInMs ?? null;
}
