import type { Transaction } from './client.ts';
import { lockEventLog } from './event-log.ts';
import type { WebhookDisabledReason } from './generated/client.ts';
import { type Occasion, tellOf } from './webhook-endpoint-events.ts';
import type { StoredEndpoint } from './webhook-endpoints.ts';
import { subscribe, unsubscribe } from './webhook-subscriptions.ts';

/**
 * Has an endpoint sent nothing from here on, and writes the event. What it is owed already waits, and its job stays: that
 * keeps two runs from sending to one endpoint when it is enabled again meanwhile. The run that comes by settles it.
 *
 * Locks the log, then the endpoint: for a transaction that has locked nothing that comes after the log, in particular no
 * job. Null when it is not enabled any more, or not there.
 */
export async function disableEndpoint(
  tx: Transaction,
  id: string,
  reason: WebhookDisabledReason,
  occasion: Occasion,
): Promise<StoredEndpoint | null> {
  const lastSeq = await lockEventLog(tx);
  const endpoint = await lockIfPresent(tx, id);
  if (endpoint === null || endpoint.disabledReason !== null) return null;
  return disableLocked(tx, id, reason, lastSeq, occasion);
}

/**
 * `disableEndpoint` for all endpoints of an account that are enabled. Locks the log, then the endpoints: for a transaction
 * that has locked the user between them at most.
 */
export async function disableEndpointsOf(
  tx: Transaction,
  accountId: string,
  reason: WebhookDisabledReason,
  occasion: Occasion,
): Promise<void> {
  const lastSeq = await lockEventLog(tx);
  for (const id of await lockEnabledEndpoints(tx, accountId)) {
    await disableLocked(tx, id, reason, lastSeq, occasion);
  }
}

/** The ids of the endpoints of an account that are enabled, which are locked until the transaction ends. */
export async function lockEnabledEndpoints(tx: Transaction, accountId: string): Promise<string[]> {
  const endpoints = await tx.$queryRaw<{ id: string }[]>`
    SELECT id FROM webhook_endpoint
    WHERE account_id = ${accountId}::uuid AND disabled_reason IS NULL AND deleted_at IS NULL
    ORDER BY id FOR NO KEY UPDATE`;
  return endpoints.map(({ id }) => id);
}

/** `disableEndpoint` for one that is enabled and locked, as is the log, of which `lastSeq` is the last. */
export async function disableLocked(
  tx: Transaction,
  id: string,
  reason: WebhookDisabledReason,
  lastSeq: bigint,
  occasion: Occasion,
): Promise<StoredEndpoint> {
  await unsubscribe(tx, id, lastSeq);
  const { at } = occasion;
  const disabled = await tx.webhookEndpoint.update({
    where: { id },
    data: {
      disabledReason: reason,
      disabledAt: at,
      version: { increment: 1 },
      updatedAt: at,
    },
  });
  await tellOf(tx, disabled, 'disabled', occasion);
  return disabled;
}

/**
 * Has an endpoint sent what happens from here on, and what it was owed before, with a clean slate; writes the event.
 * Who calls owes it `deliver-webhooks` when `hasPendingDeliveries`.
 *
 * Locks like `disableEndpoint`. Null when it is enabled already, or not there.
 */
export async function enableEndpoint(
  tx: Transaction,
  id: string,
  occasion: Occasion,
): Promise<StoredEndpoint | null> {
  const lastSeq = await lockEventLog(tx);
  const endpoint = await lockIfPresent(tx, id);
  if (endpoint === null || endpoint.disabledReason === null) return null;
  await subscribe(tx, id, endpoint.eventTypes, lastSeq);
  const enabled = await tx.webhookEndpoint.update({
    where: { id },
    data: {
      disabledReason: null,
      disabledAt: null,
      failingSince: null,
      failures: 0,
      pausedUntil: null,
      version: { increment: 1 },
      updatedAt: occasion.at,
    },
  });
  await tellOf(tx, enabled, 'enabled', occasion);
  return enabled;
}

/** Whether there is anything to be sent to an endpoint, now or later. */
export async function hasPendingDeliveries(tx: Transaction, endpointId: string): Promise<boolean> {
  const found = await tx.webhookDelivery.findFirst({
    where: { endpointId, status: 'pending' },
    select: { id: true },
  });
  return found !== null;
}

/** The endpoint, locked until the transaction ends. Null when there is none, or it was deleted. */
async function lockIfPresent(tx: Transaction, id: string): Promise<StoredEndpoint | null> {
  await tx.$executeRaw`SELECT 1 FROM webhook_endpoint WHERE id = ${id}::uuid FOR NO KEY UPDATE`;
  return tx.webhookEndpoint.findFirst({ where: { id, deletedAt: null } });
}
