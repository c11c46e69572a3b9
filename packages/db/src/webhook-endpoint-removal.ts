import type { Transaction } from './client.ts';
import { withdrawJobs } from './jobs.ts';
import { type Occasion, tellOf } from './webhook-endpoint-events.ts';
import type { StoredEndpoint } from './webhook-endpoints.ts';
import { endReplay } from './webhook-replays.ts';
import { unsubscribe } from './webhook-subscriptions.ts';

/** What is left of a secret. */
const WIPED = new Uint8Array(0);

/**
 * Deletes an endpoint: its owner has it no more, its secrets are gone, and nothing is sent to it. What was sent to it can
 * still be read. What is pending is canceled later, by a run of its `deliver-webhooks`: there may be very many, and the
 * log is held. The caller has owed it that before, when `hasPendingDeliveries`: its job is locked before those of its
 * replays, which are withdrawn here, and whose ids are younger.
 *
 * For a transaction that holds the log at `lastSeq`, then the endpoint, and of what comes after them that job at most.
 * `replayJob` is the permanent name of the job of a replay.
 */
export async function deleteEndpoint(
  tx: Transaction,
  endpoint: StoredEndpoint,
  replayJob: string,
  lastSeq: bigint,
  occasion: Occasion,
): Promise<void> {
  const { id } = endpoint;
  const { at } = occasion;
  await unsubscribe(tx, id, lastSeq);
  const deleted = await tx.webhookEndpoint.update({
    where: { id },
    data: {
      sealedSecret: WIPED,
      previousSealedSecret: null,
      previousSecretExpiresAt: null,
      deletedAt: at,
      version: { increment: 1 },
      updatedAt: at,
    },
  });
  await tellOf(tx, deleted, 'deleted', occasion);
  const replays = await tx.webhookReplay.findMany({
    where: { endpointId: id, status: 'running' },
    orderBy: { id: 'asc' },
    select: { id: true },
  });
  for (const replay of replays) {
    await withdrawJobs(tx, replayJob, replay.id);
    await endReplay(tx, replay.id, 'canceled');
  }
}
