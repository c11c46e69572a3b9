import { newId } from '@gatehouse/domain/id';
import { lockWaiter } from '@gatehouse/testing/locks';
import { createTestEndpoint } from '@gatehouse/testing/webhooks';
import { expect, test } from 'vitest';
import type { Database } from '../src/client.ts';
import { deleteOldEvents } from '../src/old-events.ts';
import { transaction } from '../src/transaction.ts';
import { resumeDeliveries } from '../src/webhook-deliveries.ts';
import { pending, setUp } from './old-log.ts';
import { broken } from './tampering.ts';

const clean = async (db: Database, limit = 1_000) => (await deleteOldEvents(db, limit)).events;

test('old events go with what was sent of them, a batch at a time; young ones stay', async () => {
  const { db, left } = await setUp(5, 3);
  expect(await clean(db, 2)).toBe(2);
  expect(await left()).toEqual([3, 4, 5, 6, 7, 8]);
  expect(await clean(db)).toBe(3);
  expect(await clean(db)).toBe(0);
  expect(await left()).toEqual([6, 7, 8]);
  expect([await db.webhookDelivery.count(), await db.webhookAttempt.count()]).toEqual([3, 3]);
  expect(await broken(db)).toEqual([]);
});

test('an event that is owed stays, and so do those that come after it', async () => {
  const { db, left, deliveryOf } = await setUp(5, 1);
  await db.webhookDelivery.update({ where: { id: deliveryOf(3) }, data: pending(31) });
  expect(await clean(db)).toBe(2);
  expect(await clean(db)).toBe(0);
  expect(await left()).toEqual([3, 4, 5, 6]);
});

test('an event that is not published yet stays, however old', async () => {
  const { db, left } = await setUp(1, 0);
  await db.event.updateMany({ data: { seq: null } });
  expect(await clean(db)).toBe(0);
  expect(await left()).toHaveLength(1);
});

test('an event that a replay schedules at the same time is deleted, or sent again: never half of it', async () => {
  const { db, endpointId, left, deliveryOf } = await setUp(3, 1);
  const { deleting } = await transaction(db, async (tx) => {
    await resumeDeliveries(tx, endpointId, [deliveryOf(2)]);
    const deleting = clean(db);
    await lockWaiter(db);
    return { deleting };
  });
  expect(await deleting).toBe(1);
  expect(await left()).toEqual([2, 3, 4]);
});

test('nothing is locked when nothing is old', async () => {
  const { db } = await setUp(0, 2);
  await transaction(db, async (tx) => {
    await tx.$executeRaw`SELECT 1 FROM event FOR UPDATE`;
    expect(await deleteOldEvents(db, 1_000)).toEqual({ events: 0, rows: 0 });
  });
});

/** The rows of each table. */
async function sizes(db: Database): Promise<number[]> {
  return [
    await db.event.count(),
    await db.webhookDelivery.count(),
    await db.webhookAttempt.count(),
  ];
}

test('however much was sent of an event, it goes in parts, and each leaves all in order', async () => {
  const { db, accountId, left, deliveryOf } = await setUp(2, 1);
  // The first went to many endpoints that came later, and the second to one that mostly failed.
  const { eventId } = await db.webhookDelivery.findUniqueOrThrow({ where: { id: deliveryOf(1) } });
  for (let count = 0; count < 8; count += 1) {
    const endpointId = await createTestEndpoint(db, accountId);
    const ended = { status: 'failed', sequence: 1, endedAt: new Date() } as const;
    const delivery = { id: newId(), accountId, endpointId, eventId, nextAttemptAt: null };
    await db.webhookEndpoint.update({ where: { id: endpointId }, data: { lastSequence: 1 } });
    await db.webhookDelivery.create({ data: { ...delivery, ...ended } });
  }
  const attempts = Array.from({ length: 11 }, (_, index) => ({
    ...{ id: newId(), deliveryId: deliveryOf(index < 2 ? 1 : 2), at: new Date(), durationMs: 1 },
    error: index % 3 === 0 ? null : 'timed out',
  }));
  await db.webhookAttempt.createMany({ data: attempts });
  const limit = 3;
  let before = await sizes(db);
  for (let rows = 1; rows > 0; ) {
    rows = (await deleteOldEvents(db, limit)).rows;
    const after = await sizes(db);
    for (const [index, size] of after.entries()) {
      expect((before[index] ?? 0) - size).toBeLessThanOrEqual(limit);
    }
    expect(await broken(db)).toEqual([]);
    before = after;
  }
  expect(await left()).toEqual([3]);
  expect(before).toEqual([1, 1, 1]);
});

test('an event that is owed to one of very many endpoints stays', async () => {
  const { db, accountId, left, deliveryOf } = await setUp(1, 1);
  const { eventId } = await db.webhookDelivery.findUniqueOrThrow({ where: { id: deliveryOf(1) } });
  const endpoints: string[] = [];
  for (let count = 0; count < 8; count += 1)
    endpoints.push(await createTestEndpoint(db, accountId));
  await db.webhookDelivery.createMany({
    data: endpoints.map((endpointId, index) => ({
      ...{ id: newId(), accountId, endpointId, eventId, sequence: 1 },
      ...(index === 6 ? pending(1) : ({ status: 'failed', endedAt: new Date() } as const)),
    })),
  });
  for (let rows = 1; rows > 0; ) rows = (await deleteOldEvents(db, 2)).rows;
  expect(await left()).toEqual([1, 2]);
  expect(await db.webhookDelivery.findMany({ where: { status: 'pending' } })).toMatchObject([
    { endpointId: endpoints[6] },
  ]);
});
