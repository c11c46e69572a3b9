import type { Transaction } from './client.ts';
import { resumeDeliveries } from './webhook-deliveries.ts';
import type { StoredEndpoint } from './webhook-endpoints.ts';

/** Lets an endpoint that the transaction has locked be sent to now, whatever it was waiting for. */
export async function endPause(tx: Transaction, { id }: StoredEndpoint): Promise<void> {
  await tx.$executeRaw`UPDATE webhook_endpoint SET paused_until = NULL
    WHERE id = ${id}::uuid AND paused_until IS NOT NULL`;
}

/**
 * Has a delivery sent now: one that has ended begins anew, one that waits waits no longer. For a transaction that holds
 * its endpoint, and has owed it `deliver-webhooks` since.
 */
export async function retryDelivery(
  tx: Transaction,
  endpointId: string,
  deliveryId: string,
): Promise<void> {
  if ((await resumeDeliveries(tx, endpointId, [deliveryId])) === 1) return;
  await tx.$executeRaw`
    UPDATE webhook_delivery SET next_attempt_at = LEAST(next_attempt_at, clock_timestamp())
    WHERE id = ${deliveryId}::uuid AND endpoint_id = ${endpointId}::uuid AND status = 'pending'`;
}
