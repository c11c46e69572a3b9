import type { Database } from '@gatehouse/db/client';
import { lockEventLog } from '@gatehouse/db/event-log';
import { insertEvents, type NewEvent } from '@gatehouse/db/events';
import { transaction } from '@gatehouse/db/transaction';
import type { StoredEndpoint } from '@gatehouse/db/webhook-endpoints';
import { subscribe } from '@gatehouse/db/webhook-subscriptions';
import { newId } from '@gatehouse/domain/id';
import type { JobLedger } from '@gatehouse/jobs/ledger';
import { publishBatch } from '@gatehouse/jobs/publish-batch';

export type TestEndpointSettings = Partial<Omit<StoredEndpoint, 'accountId'>>;

/** An enabled endpoint that listens from here on, to everything unless told otherwise. Returns its id. */
export async function createTestEndpoint(
  db: Database,
  accountId: string,
  { id = newId(), ...settings }: TestEndpointSettings = {},
): Promise<string> {
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
    const published = await transaction(db, (tx) => publishBatch(tx, ledger, limit));
    batch = published?.events ?? 0;
  }
  return events;
}
