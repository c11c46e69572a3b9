import { nextDueInMs } from '@gatehouse/db/due-deliveries';
import { cancelDeliveriesOfDeleted } from '@gatehouse/db/webhook-deliveries';
import { deliverWebhooks } from '@gatehouse/jobs/definitions/deliver-webhooks';
import type { JobLedger } from '@gatehouse/jobs/ledger';
import type { JobContext } from '../processor.ts';
import { Lane, type LaneParts } from './lane.ts';

/** What is due so soon is due: the database rounds to milliseconds, and the relay looks less often than that. */
const SOON_MS = 20;

/** What is canceled of a deleted endpoint in one statement, and the milliseconds after which the next run goes on. */
const CANCEL_BATCH = 1_000;
const CANCEL_FOR_MS = 20_000;

/**
 * Sends an endpoint what is due, for half a minute at most, and settles its job with the next one when something is still
 * pending. At most one lane of an endpoint sends: one that is not owed any more drops what it has. What is pending at an
 * endpoint that was deleted is canceled.
 */
export async function runLane(
  parts: LaneParts & { ledger: JobLedger },
  endpointId: string,
  context: JobContext,
): Promise<void> {
  const lane = new Lane(parts, endpointId, context);
  const end = await lane.run();
  if (end === 'superseded') return;
  if (end === 'absent') await cancelIfDeleted(parts, endpointId, context);
  await context.settle(async (tx) => {
    const dueInMs = await nextDueInMs(tx, endpointId);
    if (dueInMs === null) return;
    const delayMs = dueInMs < SOON_MS ? 0 : Math.ceil(dueInMs);
    await parts.ledger.enqueue(tx, deliverWebhooks, { endpointId }, { requestId: null, delayMs });
  });
}

async function cancelIfDeleted(
  { db, closing }: LaneParts,
  endpointId: string,
  context: JobContext,
): Promise<void> {
  const startedAt = performance.now();
  let canceled = 1;
  while (canceled > 0 && performance.now() - startedAt < CANCEL_FOR_MS) {
    if (context.signal.aborted || closing.aborted) return;
    canceled = await cancelDeliveriesOfDeleted(db, endpointId, CANCEL_BATCH);
  }
}
