import type { Transaction } from '@gatehouse/db/client';
import type { Occasion } from '@gatehouse/db/webhook-endpoint-events';
import { disableEndpoint, enableEndpoint } from '@gatehouse/db/webhook-endpoint-states';
import type { StoredEndpoint } from '@gatehouse/db/webhook-endpoints';

/**
 * Switches an endpoint off or on as its owner wishes; as it is when he wishes nothing new. For a transaction that holds
 * the log, then the endpoint, when he wishes anything.
 */
export async function switchEndpoint(
  tx: Transaction,
  endpoint: StoredEndpoint,
  enabled: boolean | undefined,
  occasion: Occasion,
): Promise<StoredEndpoint> {
  const { id } = endpoint;
  if (enabled === undefined) return endpoint;
  const switched = enabled
    ? await enableEndpoint(tx, id, occasion)
    : await disableEndpoint(tx, id, 'owner', occasion);
  return switched ?? endpoint;
}
