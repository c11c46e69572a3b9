import type { Database, Queryable, Transaction } from './client.ts';
import { Prisma } from './generated/client.ts';

/**
 * Has these deliveries of an endpoint sent again, from a first attempt on: those that are pending already are left as
 * they are. What was sent before stays to be read, and so does their place in its order. Returns how many there were.
 *
 * For a transaction that holds the endpoint, and owes it `deliver-webhooks` before: a delivery is locked after its job.
 */
export async function resumeDeliveries(
  tx: Transaction,
  endpointId: string,
  deliveryIds: readonly string[],
  { replayId = null }: { replayId?: string | null } = {},
): Promise<number> {
  return tx.$executeRaw`
    WITH locked AS MATERIALIZED (
      SELECT id FROM webhook_delivery
      WHERE endpoint_id = ${endpointId}::uuid AND id = ANY(${[...deliveryIds]}::uuid[]) AND status <> 'pending'
      ORDER BY id FOR NO KEY UPDATE
    )
    UPDATE webhook_delivery AS delivery
    SET status = 'pending', attempts = 0, next_attempt_at = clock_timestamp(), ended_at = NULL, replay_id = ${replayId}::uuid
    FROM locked WHERE delivery.id = locked.id`;
}

/** What becomes of a delivery that is given up. */
export const CANCELED = Prisma.sql`
  status = 'canceled', next_attempt_at = NULL, ended_at = clock_timestamp()`;

/**
 * Gives up what an endpoint has not been sent yet, `limit` deliveries at most, and returns how many that were: less than
 * `limit` also when others are at it. None is left when it returns 0.
 */
export async function cancelDeliveries(
  db: Queryable,
  endpointId: string,
  limit: number,
): Promise<number> {
  return db.$executeRaw`
    WITH chosen AS MATERIALIZED (
      SELECT id FROM webhook_delivery
      WHERE endpoint_id = ${endpointId}::uuid AND status = 'pending' ORDER BY sequence LIMIT ${limit}
    ), locked AS MATERIALIZED (
      SELECT id FROM webhook_delivery
      WHERE id IN (SELECT id FROM chosen) AND status = 'pending' ORDER BY id FOR NO KEY UPDATE
    )
    UPDATE webhook_delivery AS delivery SET ${CANCELED} FROM locked WHERE delivery.id = locked.id`;
}

/** `cancelDeliveries` for an endpoint that was deleted; 0 for any other. */
export async function cancelDeliveriesOfDeleted(
  db: Database,
  endpointId: string,
  limit: number,
): Promise<number> {
  const deleted = await db.webhookEndpoint.count({
    where: { id: endpointId, deletedAt: { not: null } },
  });
  return deleted === 0 ? 0 : cancelDeliveries(db, endpointId, limit);
}

/** How many deliveries are pending at an endpoint, counted up to `limit`. */
export async function countPending(
  db: Queryable,
  endpointId: string,
  limit: number,
): Promise<number> {
  const pending = { endpointId, status: 'pending' } as const;
  return db.webhookDelivery.count({ where: pending, orderBy: { sequence: 'asc' }, take: limit });
}

export interface NewDelivery {
  id: string;
  accountId: string;
  endpointId: string;
  eventId: string;
  /** The endpoint's next. */
  sequence: bigint;
}

/** Inserts deliveries that are due at once, for a transaction that holds their endpoints. */
export async function insertDeliveries(
  tx: Transaction,
  deliveries: readonly NewDelivery[],
  { replayId = null }: { replayId?: string | null } = {},
): Promise<void> {
  if (deliveries.length === 0) return;
  await tx.$executeRaw`
    INSERT INTO webhook_delivery (id, account_id, endpoint_id, event_id, sequence, next_attempt_at, created_at, replay_id)
    SELECT *, clock_timestamp(), clock_timestamp(), ${replayId}::uuid FROM unnest(
      ${deliveries.map((d) => d.id)}::uuid[], ${deliveries.map((d) => d.accountId)}::uuid[],
      ${deliveries.map((d) => d.endpointId)}::uuid[], ${deliveries.map((d) => d.eventId)}::uuid[],
      ${deliveries.map((d) => d.sequence)}::bigint[])`;
}
