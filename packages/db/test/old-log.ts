import { testDatabase } from '@gatehouse/testing/database';
import { createTestAccount } from '@gatehouse/testing/fixtures';
import { createIdleLedger } from '@gatehouse/testing/idle-ledger';
import { addTestEvents, createTestEndpoint, publishTestEvents } from '@gatehouse/testing/webhooks';
import { onTestFinished } from 'vitest';

const DAY = 86_400_000;
export const daysAgo = (days: number) => new Date(Date.now() - days * DAY);

/** An account with an endpoint that was sent `old` events, 31 days ago, and `young` ones, 29 days ago. */
export async function setUp(old: number, young: number) {
  const { db, drop } = await testDatabase();
  onTestFinished(drop);
  const { accountId } = await createTestAccount(db);
  const endpointId = await createTestEndpoint(db, accountId);
  for (const [count, at] of [[old, daysAgo(31)] as const, [young, daysAgo(29)] as const]) {
    await addTestEvents(db, accountId, Array<'task.due'>(count).fill('task.due'), { at });
  }
  await publishTestEvents(db, createIdleLedger());
  const ended = { status: 'succeeded', nextAttemptAt: null, endedAt: new Date() } as const;
  await db.webhookDelivery.updateMany({ data: ended });
  const deliveries = await db.webhookDelivery.findMany({ orderBy: { sequence: 'asc' } });
  await db.webhookAttempt.createMany({
    data: deliveries.map(({ id: deliveryId, id }) => ({
      ...{ id, deliveryId, at: new Date(), statusCode: 204, durationMs: 1 },
    })),
  });
  const left = async () =>
    (await db.event.findMany({ orderBy: { seq: 'asc' } })).map(({ seq }) => Number(seq));
  const deliveryOf = (sequence: number) => deliveries[sequence - 1]?.id ?? '';
  return { db, accountId, endpointId, left, deliveryOf };
}

/** As if it had not been delivered in so many days. */
export const pending = (days: number) => ({
  ...({ status: 'pending', endedAt: null } as const),
  ...{ nextAttemptAt: new Date(), createdAt: daysAgo(days) },
});
