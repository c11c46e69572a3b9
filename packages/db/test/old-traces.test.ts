import { newId } from '@gatehouse/domain/id';
import { expect, test } from 'vitest';
import type { Database } from '../src/client.ts';
import { deleteOldEvents } from '../src/old-events.ts';
import { deleteOldTraces } from '../src/old-traces.ts';
import { transaction } from '../src/transaction.ts';
import { beginReplay, endReplay, measureWindow } from '../src/webhook-replays.ts';
import { daysAgo, setUp } from './old-log.ts';
import { broken } from './tampering.ts';

const clean = (db: Database) => deleteOldTraces(db, new AbortController().signal);

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
  expect(await clean(db)).toBe(0);
  expect(await deleteOldEvents(db, 1_000)).toMatchObject({ events: 3 });
  expect(await clean(db)).toBe(3);
  const replays = await db.webhookReplay.findMany({ orderBy: { id: 'asc' } });
  expect(replays.map(({ id }) => id)).toEqual(kept);
  expect(await open()).toBe(1);
  expect(
    await db.webhookSubscription.findMany({ where: { untilSeq: { not: null } } }),
  ).toMatchObject([{ untilSeq: 4n }]);
  await db.webhookDelivery.deleteMany();
  await db.event.deleteMany();
  expect(await clean(db)).toBe(2);
  expect(await db.webhookReplay.count()).toBe(2);
  expect(await open()).toBe(1);
});

/** Endpoints that were deleted so long ago. */
async function addDeleted(db: Database, accountId: string, count: number, days: number) {
  const settings = { url: 'https://example.com/', eventTypes: ['*'], ordered: false };
  const secret = { maxConcurrency: 8, sealedSecret: new Uint8Array(0) };
  const ids = Array.from({ length: count }, () => newId());
  await db.webhookEndpoint.createMany({
    data: ids.map((id) => ({ ...settings, ...secret, id, accountId, deletedAt: daysAgo(days) })),
  });
  return ids;
}

test('endpoints that were deleted long ago go, however many, once nothing refers to them', async () => {
  const { db, accountId, endpointId } = await setUp(0, 3);
  const [told = '', sentTo = '', replayed = '', listened = '', ...others] = await addDeleted(
    db,
    accountId,
    2_100,
    31,
  );
  const [young = ''] = await addDeleted(db, accountId, 1, 29);
  const [first, second] = await db.event.findMany({ orderBy: { seq: 'asc' } });
  const eventId = second?.id ?? '';
  await db.event.update({ where: { id: first?.id ?? '' }, data: { onlyEndpointId: told } });
  await db.webhookDelivery.create({
    data: {
      id: newId(),
      accountId,
      endpointId: sentTo,
      eventId,
      sequence: 1,
      status: 'canceled',
      endedAt: new Date(),
    },
  });
  const window = { since: daysAgo(2), until: daysAgo(1), onlyFailed: false };
  await db.webhookReplay.create({
    data: {
      ...{ ...window, id: newId(), accountId, endpointId: replayed, status: 'canceled' },
      ...{ position: 0, endSeq: 3, total: 0, endedAt: daysAgo(31) },
    },
  });
  await db.webhookSubscription.create({
    data: { id: newId(), endpointId: listened, eventTypes: ['order.*'], afterSeq: 0, untilSeq: 3 },
  });
  expect(await clean(db)).toBe(others.length);
  const left = async () =>
    (await db.webhookEndpoint.findMany({ orderBy: { id: 'asc' } })).map(({ id }) => id);
  const expected = [endpointId, told, sentTo, replayed, listened, young];
  expect(await left()).toEqual(expected.sort());
  await db.webhookDelivery.deleteMany();
  await db.event.deleteMany();
  expect(await clean(db)).toBe(6);
  expect(await left()).toEqual([endpointId, young].sort());
  expect(await broken(db)).toEqual([]);
});

test('to look for them ends when the worker does', async () => {
  const { db, accountId } = await setUp(0, 1);
  await addDeleted(db, accountId, 1, 31);
  expect(await deleteOldTraces(db, AbortSignal.abort())).toBe(0);
  expect(await db.webhookEndpoint.count()).toBe(2);
});
