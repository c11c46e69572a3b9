import type { Transaction } from '@gatehouse/db/client';
import { hasPendingDeliveries } from '@gatehouse/db/webhook-endpoint-states';
import type { StoredEndpoint } from '@gatehouse/db/webhook-endpoints';
import { deliverWebhooks } from '@gatehouse/jobs/definitions/deliver-webhooks';
import type { JobLedger } from '@gatehouse/jobs/ledger';

/**
 * Owes an endpoint what waits for it, where a change may have something sent earlier than its job would come: it was
 * enabled, leads elsewhere, or has another order.
 */
export async function oweWhatWaits(
  jobs: JobLedger,
  tx: Transaction,
  before: StoredEndpoint,
  after: StoredEndpoint,
  requestId: string,
): Promise<void> {
  if (after.disabledReason !== null) return;
  const isSooner =
    before.disabledReason !== null || before.url !== after.url || before.ordered !== after.ordered;
  if (!isSooner || !(await hasPendingDeliveries(tx, after.id))) return;
  const options = { requestId, revives: true };
  await jobs.enqueue(tx, deliverWebhooks, { endpointId: after.id }, options);
}
