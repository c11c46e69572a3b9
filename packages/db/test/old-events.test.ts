import { newId } from '@gatehouse/domain/id';
import { testDatabase } from '@gatehouse/testing/database';
import { createTestAccount } from '@gatehouse/testing/fixtures';
import { createIdleLedger } from '@gatehouse/testing/idle-ledger';
import { lockWaiter } from '@gatehouse/testing/locks';
import { addTestEvents, createTestEndpoint, publishTestEvents } from '@gatehouse/testing/webhooks';
import { expect, onTestFinished, test } from 'vitest';
import { cancelOldDeliveries, deleteOldEvents, deleteOldTraces } from '../src/old-events.ts';
import { transaction } from '../src/transaction.ts';
import { resumeDeliveries } from '../src/webhook-deliveries.ts';
import { beginReplay, endReplay, measureWindow } from '../src/webhook-replays.ts';
import { broken } from './tampering.ts';

const DAY = 86_400_000;
const daysAgo = (days: number) => new Date(Date.now() - days * DAY);

/** An account with an endpoint that was sent `old` events, 31 days ago, and `young` ones, 29 days ago. */
async function setUp(old: number, young: number) {
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
  return { db, endpointId, left, deliveryOf };
}

const pending = (days: number) => ({
  ...({ status: 'pending', endedAt: null } as const),
  ...{ nextAttemptAt: new Date(), createdAt: daysAgo(days) },
});

test('old events go with what was sent of them, a batch at a time; young ones stay', async () => {
  const { db, left } = await setUp(5, 3);
  expect(await deleteOldEvents(db, 2)).toBe(2);
  expect(await left()).toEqual([3, 4, 5, 6, 7, 8]);
  expect(await deleteOldEvents(db, 1_000)).toBe(3);
  expect(await deleteOldEvents(db, 1_000)).toBe(0);
  expect(await left()).toEqual([6, 7, 8]);
  expect([await db.webhookDelivery.count(), await db.webhookAttempt.count()]).toEqual([3, 3]);
  expect(await broken(db)).toEqual([]);
});

test('an event that is owed stays, and so do those that come after it', async () => {
  const { db, left, deliveryOf } = await setUp(5, 1);
  await db.webhookDelivery.update({ where: { id: deliveryOf(3) }, data: pending(31) });
  expect(await deleteOldEvents(db, 1_000)).toBe(2);
  expect(await deleteOldEvents(db, 1_000)).toBe(0);
  expect(await left()).toEqual([3, 4, 5, 6]);
});

test('an event that is not published yet stays, however old', async () => {
  const { db, left } = await setUp(1, 0);
  await db.event.updateMany({ data: { seq: null } });
  expect(await deleteOldEvents(db, 1_000)).toBe(0);
  expect(await left()).toHaveLength(1);
});

test('what an endpoint was owed long ago is given up, however it fares, and nothing else is', async () => {
  const { db, left, deliveryOf } = await setUp(5, 1);
  for (const sequence of [2, 3]) {
    await db.webhookDelivery.update({ where: { id: deliveryOf(sequence) }, data: pending(31) });
  }
  await db.webhookDelivery.update({ where: { id: deliveryOf(5) }, data: pending(29) });
  expect(await cancelOldDeliveries(db, 2)).toBe(1);
  expect(await cancelOldDeliveries(db, 1_000)).toBe(1);
  expect(await cancelOldDeliveries(db, 1_000)).toBe(0);
  const rows = await db.webhookDelivery.findMany({ orderBy: { sequence: 'asc' } });
  expect(rows.map(({ status }) => status)).toEqual([
    ...['succeeded', 'canceled', 'canceled', 'succeeded', 'pending', 'succeeded'],
  ]);
  expect(await deleteOldEvents(db, 1_000)).toBe(4);
  expect(await left()).toEqual([5, 6]);
});

test('an event that a replay schedules at the same time is deleted, or sent again: never half of it', async () => {
  const { db, endpointId, left, deliveryOf } = await setUp(3, 1);
  const { deleting } = await transaction(db, async (tx) => {
    await resumeDeliveries(tx, endpointId, [deliveryOf(2)]);
    const deleting = deleteOldEvents(db, 1_000);
    await lockWaiter(db);
    return { deleting };
  });
  expect(await deleting).toBe(1);
  expect(await left()).toEqual([2, 3, 4]);
});

test('replays that ended long ago and closed subscriptions go with the last of their events', async () => {
  const { db, endpointId } = await setUp(3, 1);
  const { accountId } = await db.webhookEndpoint.findUniqueOrThrow({ where: { id: endpointId } });
  const subscription = { endpointId, eventTypes: ['*'] };
  for (const untilSeq of [2n, 3n, 4n]) {
    await db.webhookSubscription.create({
      data: { ...subscription, id: newId(), afterSeq: 0n, untilSeq },
    });
  }
  const begin = async (endSeq: bigint, endedDaysAgo: number | null) => {
    const window = { accountId, since: new Date(0), until: new Date() };
    const wish = { ...window, id: newId(), endpointId, onlyFailed: false, requestId: null };
    await transaction(db, async (tx) => beginReplay(tx, wish, await measureWindow(tx, window)));
    if (endedDaysAgo !== null) await transaction(db, (tx) => endReplay(tx, wish.id, 'succeeded'));
    const endedAt = endedDaysAgo === null ? {} : { endedAt: daysAgo(endedDaysAgo) };
    await db.webhookReplay.update({ where: { id: wish.id }, data: { endSeq, ...endedAt } });
    return wish.id;
  };
  await begin(3n, 31);
  const kept = [await begin(4n, 31), await begin(3n, 29), await begin(3n, null)];
  const open = async () => db.webhookSubscription.count({ where: { untilSeq: null } });
  expect(await open()).toBe(1);
  expect(await deleteOldTraces(db)).toBe(0);
  expect(await deleteOldEvents(db, 1_000)).toBe(3);
  expect(await deleteOldTraces(db)).toBe(3);
  const replays = await db.webhookReplay.findMany({ orderBy: { id: 'asc' } });
  expect(replays.map(({ id }) => id)).toEqual(kept);
  expect(await open()).toBe(1);
  expect(
    await db.webhookSubscription.findMany({ where: { untilSeq: { not: null } } }),
  ).toMatchObject([{ untilSeq: 4n }]);
  await db.webhookDelivery.deleteMany();
  await db.event.deleteMany();
  expect(await deleteOldTraces(db)).toBe(2);
  expect(await db.webhookReplay.count()).toBe(2);
  expect(await open()).toBe(1);
});
