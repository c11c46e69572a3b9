import type { Database, Transaction } from './client.ts';
import { KEPT_SINCE } from './event-retention.ts';
import { CANCELED } from './webhook-deliveries.ts';

/** Before all ids. */
const NIL = '00000000-0000-0000-0000-000000000000';

/** An endpoint to which something is owed, and whether that is old. */
export interface OwedEndpoint {
  id: string;
  isOverdue: boolean;
}

/**
 * The next endpoints, by id, to which something is pending: `limit` at most, from the beginning when `after` is null. The
 * deliveries of one are created in the order of their `sequence`, so the first tells whether any is old.
 */
export async function listOwedEndpoints(
  db: Database,
  after: string | null,
  limit: number,
): Promise<OwedEndpoint[]> {
  return db.$queryRaw<OwedEndpoint[]>`
    WITH RECURSIVE owed AS (
      (SELECT endpoint_id, created_at FROM webhook_delivery
        WHERE status = 'pending' AND endpoint_id > ${after ?? NIL}::uuid
        ORDER BY endpoint_id, sequence LIMIT 1)
      UNION ALL
      SELECT next.endpoint_id, next.created_at FROM owed CROSS JOIN LATERAL (
        SELECT endpoint_id, created_at FROM webhook_delivery
        WHERE status = 'pending' AND endpoint_id > owed.endpoint_id ORDER BY endpoint_id, sequence LIMIT 1
      ) AS next
    )
    SELECT endpoint_id AS id, created_at < ${KEPT_SINCE} AS "isOverdue" FROM owed LIMIT ${limit}`;
}

/**
 * Locks an endpoint whose old deliveries are to be given up, and tells whether it is enabled: then it is owed
 * `deliver-webhooks` at once, as what comes next in its order may be due before what is given up.
 */
export async function lockOverdueEndpoint(tx: Transaction, id: string): Promise<boolean> {
  const [endpoint] = await tx.$queryRaw<{ isEnabled: boolean }[]>`
    SELECT disabled_reason IS NULL AND deleted_at IS NULL AS "isEnabled"
    FROM webhook_endpoint WHERE id = ${id}::uuid FOR NO KEY UPDATE`;
  return endpoint?.isEnabled ?? false;
}

/**
 * Gives up the first deliveries of an endpoint that have been pending for too long, `limit` at most, however they fare:
 * an endpoint that is disabled or slow would keep the events of all. Returns how many.
 *
 * For a transaction that holds the endpoint and its `deliver-webhooks`: a delivery is locked after its job.
 */
export async function cancelOldDeliveries(
  tx: Transaction,
  endpointId: string,
  limit: number,
): Promise<number> {
  return tx.$executeRaw`
    WITH first AS MATERIALIZED (
      SELECT id, created_at FROM webhook_delivery
      WHERE endpoint_id = ${endpointId}::uuid AND status = 'pending' ORDER BY sequence LIMIT ${limit}
    ), locked AS MATERIALIZED (
      SELECT id FROM webhook_delivery
      WHERE id IN (SELECT id FROM first WHERE created_at < ${KEPT_SINCE}) AND status = 'pending'
      ORDER BY id FOR NO KEY UPDATE
    )
    UPDATE webhook_delivery AS delivery SET ${CANCELED} FROM locked WHERE delivery.id = locked.id`;
}
