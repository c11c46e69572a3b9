import type { Transaction } from './client.ts';
import { type Occasion, tellOf } from './webhook-endpoint-events.ts';
import type { EndpointSettings, StoredEndpoint } from './webhook-endpoints.ts';
import { subscribe } from './webhook-subscriptions.ts';
import { withoutUndefined } from './without-undefined.ts';

export type EndpointChange = { [K in keyof EndpointSettings]?: EndpointSettings[K] | undefined };

/**
 * Changes an endpoint that the transaction has locked; a member that is undefined stays as it is. `lastSeq` is where the
 * log is held when `eventTypes` change.
 */
export async function updateEndpoint(
  tx: Transaction,
  endpoint: StoredEndpoint,
  change: EndpointChange,
  lastSeq: bigint | null,
  occasion: Occasion,
): Promise<StoredEndpoint> {
  const { id } = endpoint;
  const changed = await tx.webhookEndpoint.update({
    where: { id },
    data: {
      ...withoutUndefined(change),
      ...afresh(endpoint, change),
      version: { increment: 1 },
      updatedAt: occasion.at,
    },
  });
  if (change.eventTypes !== undefined && changed.disabledReason === null) {
    if (lastSeq === null) throw new Error('who changes what an endpoint hears holds the log');
    await subscribe(tx, id, changed.eventTypes, lastSeq);
  }
  await tellOf(tx, changed, 'updated', occasion);
  return changed;
}

/** What held for another URL holds no more. */
function afresh(endpoint: StoredEndpoint, { url = endpoint.url }: EndpointChange) {
  return url === endpoint.url ? {} : { failingSince: null, failures: 0, pausedUntil: null };
}

/**
 * Gives an endpoint that the transaction has locked another secret. What is sent is signed with the one of before as
 * well for as long as the overlap lasts, by the database's clock; one that an earlier rotation left ends.
 */
export async function rotateSecret(
  tx: Transaction,
  { id }: StoredEndpoint,
  { sealed, overlapSeconds }: { sealed: Uint8Array<ArrayBuffer>; overlapSeconds: number },
  occasion: Occasion,
): Promise<StoredEndpoint> {
  await tx.$executeRaw`
    UPDATE webhook_endpoint SET
      previous_sealed_secret = CASE WHEN ${overlapSeconds} > 0 THEN sealed_secret END,
      previous_secret_expires_at = CASE WHEN ${overlapSeconds} > 0
        THEN now() + make_interval(secs => ${overlapSeconds}) END,
      sealed_secret = ${sealed}, version = version + 1, updated_at = ${occasion.at}
    WHERE id = ${id}::uuid`;
  const rotated = await tx.webhookEndpoint.findUniqueOrThrow({ where: { id } });
  await tellOf(tx, rotated, 'secret_rotated', occasion);
  return rotated;
}
