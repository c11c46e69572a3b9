import { newId } from '@gatehouse/domain/id';
import type { Transaction } from './client.ts';

/**
 * Notes that an endpoint listens to these types from here on, in place of what it listened to before. For a transaction
 * that holds the log (`lockEventLog`), at this place.
 */
export async function subscribe(
  tx: Transaction,
  endpointId: string,
  eventTypes: readonly string[],
  lastSeq: bigint,
): Promise<void> {
  await unsubscribe(tx, endpointId, lastSeq);
  await tx.webhookSubscription.create({
    data: { id: newId(), endpointId, eventTypes: [...eventTypes], afterSeq: lastSeq },
  });
}

/** Notes that an endpoint listens to nothing from here on: under the same lock. */
export async function unsubscribe(
  tx: Transaction,
  endpointId: string,
  lastSeq: bigint,
): Promise<void> {
  await tx.webhookSubscription.updateMany({
    where: { endpointId, untilSeq: null },
    data: { untilSeq: lastSeq },
  });
}
