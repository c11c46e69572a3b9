import type { Queryable, Transaction } from './client.ts';
import type { StripeEventStatus } from './generated/client.ts';

const KEPT_DAYS = 90;

/** What came of the event of a row. */
export interface EndedStripeEvent {
  id: string;
  status: Exclude<StripeEventStatus, 'received'>;
  /** For operators to read. */
  outcome: string | null;
}

/** Writes down what came of events, in the transaction that settles their jobs. */
export async function settleStripeEvents(
  tx: Transaction,
  ends: readonly EndedStripeEvent[],
): Promise<void> {
  await tx.$executeRaw`
    UPDATE stripe_event SET status = ended.status, outcome = ended.outcome, processed_at = now()
    FROM unnest(
      ${ends.map((end) => end.id)}::uuid[], ${ends.map((end) => end.status)}::stripe_event_status[],
      ${ends.map((end) => end.outcome)}::text[]
    ) AS ended (id, status, outcome)
    WHERE stripe_event.id = ended.id`;
}

/** Gives up an event that nobody has processed. Without effect on one that ended, and was to be processed again. */
export async function ignoreStripeEvent(
  tx: Transaction,
  id: string,
  outcome: string,
): Promise<void> {
  await tx.$executeRaw`
    UPDATE stripe_event SET status = 'ignored', outcome = ${outcome}, processed_at = now()
    WHERE id = ${id}::uuid AND status = 'received'`;
}

/**
 * Deletes up to `limit` events that ended more than 90 days ago, and returns how many. Stripe sends an event again for days
 * and lists it for 30: none comes back.
 */
export async function deleteOldStripeEvents(db: Queryable, limit: number): Promise<number> {
  // No event ended before it came: its id, which begins with the milliseconds of that, has the index.
  return db.$executeRaw`
    DELETE FROM stripe_event
    WHERE id = ANY (ARRAY (
      SELECT id FROM stripe_event
      WHERE status <> 'received' AND processed_at < now() - make_interval(days => ${KEPT_DAYS})
        AND id < rpad(lpad(to_hex(
          (extract(epoch FROM now() - make_interval(days => ${KEPT_DAYS})) * 1000)::bigint), 12, '0'), 32, '0')::uuid
      ORDER BY id LIMIT ${limit}
      FOR UPDATE SKIP LOCKED
    ))`;
}
