import type { Transaction } from '@gatehouse/db/client';
import { type Published, publishEvents } from '@gatehouse/db/event-publishing';
import { deliverWebhooks } from './definitions/deliver-webhooks.ts';
import type { JobLedger } from './ledger.ts';

/**
 * `publishEvents` with the jobs that are owed for it, in the same transaction: an endpoint has no delivery that nobody
 * would send. Null when somebody else publishes right now.
 */
export async function publishBatch(
  tx: Transaction,
  ledger: JobLedger,
  limit: number,
): Promise<Published | null> {
  const published = await publishEvents(tx, limit);
  const jobs = (published?.endpoints ?? []).map(({ endpointId, runAt, requestId }) => ({
    payload: { endpointId },
    requestId,
    ...(runAt && { runAt }),
  }));
  await ledger.enqueueAll(tx, deliverWebhooks, jobs);
  return published;
}
