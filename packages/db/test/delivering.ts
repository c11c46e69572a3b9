import { newId } from '@gatehouse/domain/id';
import { testDatabase } from '@gatehouse/testing/database';
import { createTestAccount } from '@gatehouse/testing/fixtures';
import { onTestFinished } from 'vitest';
import type { Database } from '../src/client.ts';
import { insertEvents } from '../src/events.ts';
import type { NewAttempt } from '../src/webhook-attempts.ts';

export interface Given {
  db: Database;
  endpointId: string;
  /** Deliveries, by their sequence from 1. */
  ids: string[];
}

export const URL = 'https://example.com/';

/** An endpoint with so many deliveries, each of which has been due for an hour. */
export async function given(count: number, endpoint: { ordered?: boolean } = {}): Promise<Given> {
  const { db, drop } = await testDatabase();
  onTestFinished(drop);
  const { accountId } = await createTestAccount(db);
  const endpointId = newId();
  await db.webhookEndpoint.create({
    data: {
      ...{ id: endpointId, accountId, url: URL, eventTypes: ['*'] },
      ...{ sealedSecret: Buffer.from('sealed'), maxConcurrency: 5, ordered: false, ...endpoint },
    },
  });
  const eventIds = Array.from({ length: count }, () => newId());
  const at = new Date('2026-11-20T08:00:00.120Z');
  await db.$transaction((tx) =>
    insertEvents(
      tx,
      eventIds.map((id) => ({
        ...{ id, accountId, type: 'task.created', at, requestId: null, data: { b: 1, a: 'ü' } },
      })),
    ),
  );
  const ids = eventIds.map(() => newId());
  await db.webhookDelivery.createMany({
    data: eventIds.map((eventId, index) => ({
      ...{ id: ids[index] ?? '', accountId, endpointId, eventId, sequence: index + 1 },
      nextAttemptAt: new Date(Date.now() - 3_600_000),
    })),
  });
  return { db, endpointId, ids };
}

/** One that succeeded, unless told otherwise. */
export function attempt(endpointId: string, deliveryId: string, changes: Partial<NewAttempt> = {}) {
  return {
    ...{ endpointId, url: URL, deliveryId, attemptsBefore: 0, durationMs: 5, isNews: false },
    ...{ statusCode: 200, error: null, responseBody: '', retryInMs: null, pauseMs: null },
    opensBreaker: false,
    ...changes,
  };
}

export const failure = (
  endpointId: string,
  deliveryId: string,
  changes: Partial<NewAttempt> = {},
) =>
  attempt(endpointId, deliveryId, {
    ...{ statusCode: 500, error: 'answered 500', retryInMs: 60_000, ...changes },
  });

export const read = (db: Database, id = '') =>
  db.webhookDelivery.findUniqueOrThrow({ where: { id } });
