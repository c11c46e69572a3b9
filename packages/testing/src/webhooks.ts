import type { Database } from '@gatehouse/db/client';
import { lockEventLog } from '@gatehouse/db/event-log';
import { publishEvents } from '@gatehouse/db/event-publishing';
import { insertEvents, type NewEvent } from '@gatehouse/db/events';
import { transaction } from '@gatehouse/db/transaction';
import { subscribe } from '@gatehouse/db/webhook-subscriptions';
import { newId } from '@gatehouse/domain/id';
import { deliverWebhooks } from '@gatehouse/jobs/definitions/deliver-webhooks';
import type { JobLedger } from '@gatehouse/jobs/ledger';

export interface TestEndpoint {
  url?: string;
  eventTypes?: string[];
  ordered?: boolean;
  maxConcurrency?: number;
  rateLimitPerSecond?: number | null;
  sealedSecret?: Uint8Array<ArrayBuffer>;
}

/** An enabled endpoint that listens from here on, to everything unless told otherwise. Returns its id. */
export async function createTestEndpoint(
  db: Database,
  accountId: string,
  settings: TestEndpoint = {},
): Promise<string> {
  const id = newId();
  await transaction(db, async (tx) => {
    const lastSeq = await lockEventLog(tx);
    const { eventTypes } = await tx.webhookEndpoint.create({
      data: {
        ...{ url: 'http://127.0.0.1:9/', eventTypes: ['*'], ordered: false, maxConcurrency: 8 },
        ...{ sealedSecret: new Uint8Array(1), ...settings, id, accountId },
      },
    });
    await subscribe(tx, id, eventTypes, lastSeq);
  });
  return id;
}

/** Writes down events of these types, one after the other, and returns their ids. */
export async function addTestEvents(
  db: Database,
  accountId: string,
  types: readonly NewEvent['type'][],
  changes: Partial<NewEvent> = {},
): Promise<string[]> {
  const events = types.map((type) => ({
    ...{ id: newId(), accountId, type, data: { id: accountId }, requestId: null, at: new Date() },
    ...changes,
  }));
  await transaction(db, (tx) => insertEvents(tx, events));
  return events.map(({ id }) => id);
}

/** Publishes what there is, as the publisher does, and returns how many events that were. */
export async function publishTestEvents(
  db: Database,
  ledger: JobLedger,
  limit = 500,
): Promise<number> {
  let events = 0;
  for (let batch = 1; batch > 0; events += batch) {
    batch = await transaction(db, async (tx) => {
      const published = await publishEvents(tx, limit);
      const jobs = (published?.endpoints ?? []).map(({ endpointId, runAt, requestId }) => ({
        payload: { endpointId },
        requestId,
        ...(runAt && { runAt }),
      }));
      await ledger.enqueueAll(tx, deliverWebhooks, jobs);
      return published?.events ?? 0;
    });
  }
  return events;
}
