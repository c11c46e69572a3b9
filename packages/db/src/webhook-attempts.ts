import { newId } from '@gatehouse/domain/id';
import type { Database, Queryable } from './client.ts';
import { transaction } from './transaction.ts';

/** A request that was sent to an endpoint, and what came of it. */
export interface NewAttempt {
  endpointId: string;
  /** That was called: it says nothing of an endpoint that has another by now. */
  url: string;
  deliveryId: string;
  /** Of the delivery before this one: what was put back to its beginning meanwhile is left there. */
  attemptsBefore: number;
  statusCode: number | null;
  durationMs: number;
  /** Null when it succeeded. */
  error: string | null;
  responseBody: string | null;
  /** Milliseconds until the next; null when there is none, as it succeeded or was the last. */
  retryInMs: number | null;
  /** Milliseconds for which its endpoint is to be sent nothing; null when it may be. */
  pauseMs: number | null;
  /** Whether it failed so that its endpoint is left alone at once, as after many failures. */
  opensBreaker: boolean;
  /** Whether the endpoint may have failed before, so that a success is news. */
  isNews: boolean;
}

/** What attempts have made of an endpoint. */
export interface EndpointHealth {
  endpointId: string;
  url: string;
  /** Since the last success. */
  failures: number;
  /** Milliseconds for which it has only failed. */
  failingForMs: number;
}

/** Failures in a row at which an endpoint is left alone for a while. */
export const BREAKER_FAILURES = 5;

/** As long as it has failed by then, and so twice as long each time; within these bounds, in seconds. */
const BREAKER_PAUSE = { min: 5, max: 60 } as const;

/**
 * Days without a failure after which another begins anew: failures count together when they are of one time. The longest
 * time between two retries is little more than one day.
 */
const APART_DAYS = 2;

/**
 * Writes down attempts, all or none, in the order in which they ended: their deliveries' next times, and the health of
 * the endpoints that fail or have failed. A delivery that was failed or canceled meanwhile has succeeded when its request
 * did, and one that was sent twice when either did. Of one that was deleted meanwhile nothing is left to be told.
 *
 * Returns the endpoints that fail now.
 */
export async function recordAttempts(
  db: Database,
  attempts: readonly NewAttempt[],
): Promise<EndpointHealth[]> {
  const isNews = (attempt: NewAttempt) => attempt.error !== null || attempt.isNews;
  const changing = new Set(attempts.filter(isNews).map(({ endpointId }) => endpointId));
  if (changing.size === 0) {
    await writeAttempts(db, attempts);
    return [];
  }
  return transaction(db, async (tx) => {
    // Before the deliveries, as everybody takes these locks.
    const of = attempts.filter(({ endpointId }) => changing.has(endpointId));
    const failing = await writeHealth(tx, of);
    await writeAttempts(tx, attempts);
    return failing;
  });
}

async function writeHealth(
  tx: Queryable,
  attempts: readonly NewAttempt[],
): Promise<EndpointHealth[]> {
  const tallies = tally(attempts);
  const rows = await tx.$queryRaw<EndpointHealth[]>`
    WITH input AS (
      SELECT * FROM unnest(
        ${tallies.map((t) => t.endpointId)}::uuid[], ${tallies.map((t) => t.url)}::text[],
        ${tallies.map((t) => t.hasSucceeded)}::bool[], ${tallies.map((t) => t.failures)}::int[],
        ${tallies.map((t) => t.pauseMs)}::float8[], ${tallies.map((t) => t.opensBreaker)}::bool[]
      ) AS input (id, url, has_succeeded, failed, pause_ms, opens_breaker)
    ), locked AS (
      SELECT endpoint.id, endpoint.failures, endpoint.failing_since, failed, pause_ms, opens_breaker,
        has_succeeded OR (last_failed_at < now() - make_interval(days => ${APART_DAYS})) IS TRUE AS is_anew
      FROM webhook_endpoint AS endpoint JOIN input USING (id, url)
      ORDER BY endpoint.id FOR NO KEY UPDATE OF endpoint
    ), counted AS (
      SELECT id, failed, pause_ms, opens_breaker, CASE WHEN is_anew THEN 0 ELSE failures END + failed AS failures,
        CASE WHEN NOT is_anew THEN failing_since END AS failing_since
      FROM locked
    ), reckoned AS (
      SELECT id, failed, failures, CASE WHEN failures > 0 THEN COALESCE(failing_since, now()) END AS failing_since,
        GREATEST(
          now() + pause_ms * interval '1 millisecond',
          CASE WHEN opens_breaker OR failures >= ${BREAKER_FAILURES} THEN now() + LEAST(
            GREATEST(now() - failing_since, make_interval(secs => ${BREAKER_PAUSE.min})),
            make_interval(secs => ${BREAKER_PAUSE.max})) END
        ) AS paused_until
      FROM counted
    )
    UPDATE webhook_endpoint AS endpoint SET
      failures = reckoned.failures, failing_since = reckoned.failing_since,
      last_failed_at = CASE WHEN reckoned.failed > 0 THEN now() ELSE endpoint.last_failed_at END,
      paused_until = GREATEST(endpoint.paused_until, reckoned.paused_until)
    FROM reckoned WHERE endpoint.id = reckoned.id
    RETURNING endpoint.id AS "endpointId", endpoint.url, endpoint.failures,
      COALESCE(EXTRACT(EPOCH FROM now() - endpoint.failing_since) * 1000, 0)::float8 AS "failingForMs"`;
  return rows.filter(({ failures }) => failures > 0);
}

/** What came of the requests to each endpoint, at each URL that it had. */
function tally(attempts: readonly NewAttempt[]) {
  const groups = Map.groupBy(attempts, ({ endpointId, url }) => `${endpointId} ${url}`);
  return [...groups.values()].flatMap((of) => {
    const [first] = of;
    if (first === undefined) return [];
    const { endpointId, url } = first;
    const last = of.findLastIndex(({ error }) => error === null);
    const failed = of.slice(last + 1);
    const pause = Math.max(...of.map(({ pauseMs }) => pauseMs ?? -1));
    return {
      ...{ endpointId, url, hasSucceeded: last !== -1, failures: failed.length },
      pauseMs: pause < 0 ? null : pause,
      opensBreaker: failed.some(({ opensBreaker }) => opensBreaker),
    };
  });
}

/**
 * Locks the deliveries in the order of their ids, as everybody does who changes several. The time of an attempt is the
 * database's: several workers may write attempts of one delivery.
 */
async function writeAttempts(db: Queryable, attempts: readonly NewAttempt[]): Promise<void> {
  await db.$executeRaw`
    WITH locked AS MATERIALIZED (
      SELECT id, status, attempts FROM webhook_delivery WHERE id = ANY(${attempts.map((a) => a.deliveryId)}::uuid[])
      ORDER BY id FOR NO KEY UPDATE
    ), input AS (
      SELECT * FROM unnest(
        ${attempts.map((a) => a.deliveryId)}::uuid[], ${attempts.map(() => newId())}::uuid[],
        ${attempts.map((a) => a.statusCode)}::int[], ${attempts.map((a) => a.durationMs)}::int[],
        ${attempts.map((a) => a.error)}::text[], ${attempts.map((a) => a.responseBody)}::text[],
        ${attempts.map((a) => a.attemptsBefore)}::int[], ${attempts.map((a) => a.retryInMs)}::float8[]
      ) AS input (delivery_id, id, status_code, duration_ms, error, response_body, attempts_before, retry_in_ms)
    ), written AS (
      INSERT INTO webhook_attempt (delivery_id, id, at, status_code, duration_ms, error, response_body)
      SELECT delivery_id, id, clock_timestamp() - duration_ms * interval '1 millisecond', status_code, duration_ms, error,
        response_body
      FROM input WHERE delivery_id IN (SELECT id FROM locked)
    ), decisive AS (
      SELECT DISTINCT ON (delivery_id) delivery_id, error, retry_in_ms
      FROM input JOIN locked ON locked.id = delivery_id WHERE
        error IS NULL AND status <> 'succeeded' OR
        error IS NOT NULL AND status = 'pending' AND attempts = attempts_before
      ORDER BY delivery_id, error IS NOT NULL
    )
    UPDATE webhook_delivery AS delivery SET
      attempts = delivery.attempts + 1,
      status = CASE WHEN error IS NULL THEN 'succeeded' WHEN retry_in_ms IS NULL THEN 'failed' ELSE 'pending'
        END::webhook_delivery_status,
      next_attempt_at = CASE WHEN error IS NOT NULL THEN now() + retry_in_ms * interval '1 millisecond' END,
      ended_at = CASE WHEN error IS NULL OR retry_in_ms IS NULL THEN now() END
    FROM decisive WHERE delivery.id = decisive.delivery_id`;
}
