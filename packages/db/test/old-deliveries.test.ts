import { createIdleLedger } from '@gatehouse/testing/idle-ledger';
import { addTestEvents, createTestEndpoint, publishTestEvents } from '@gatehouse/testing/webhooks';
import { expect, test } from 'vitest';
import type { Database } from '../src/client.ts';
import { cancelOldDeliveries, listOwedEndpoints } from '../src/old-deliveries.ts';
import { deleteOldEvents } from '../src/old-events.ts';
import { transaction } from '../src/transaction.ts';
import { pending, setUp } from './old-log.ts';

const giveUp = (db: Database, endpointId: string, limit = 1_000) =>
  transaction(db, (tx) => cancelOldDeliveries(tx, endpointId, limit));

test('what an endpoint was owed long ago is given up, however it fares, and nothing else is', async () => {
  const { db, endpointId, left, deliveryOf } = await setUp(5, 1);
  for (const sequence of [2, 3]) {
    await db.webhookDelivery.update({ where: { id: deliveryOf(sequence) }, data: pending(31) });
  }
  await db.webhookDelivery.update({ where: { id: deliveryOf(5) }, data: pending(29) });
  expect(await giveUp(db, endpointId, 1)).toBe(1);
  expect(await giveUp(db, endpointId)).toBe(1);
  expect(await giveUp(db, endpointId)).toBe(0);
  const rows = await db.webhookDelivery.findMany({ orderBy: { sequence: 'asc' } });
  expect(rows.map(({ status }) => status)).toEqual([
    ...['succeeded', 'canceled', 'canceled', 'succeeded', 'pending', 'succeeded'],
  ]);
  expect(await deleteOldEvents(db, 1_000)).toMatchObject({ events: 4 });
  expect(await left()).toEqual([5, 6]);
});

test('what is old is found at every endpoint, wherever in the log it stands, a few endpoints at a time', async () => {
  const { db, accountId, endpointId, deliveryOf } = await setUp(1, 1);
  await db.webhookDelivery.update({ where: { id: deliveryOf(1) }, data: pending(29) });
  await db.webhookDelivery.update({ where: { id: deliveryOf(2) }, data: pending(29) });
  const overdue = await createTestEndpoint(db, accountId);
  const idle = await createTestEndpoint(db, accountId, { eventTypes: ['order.filled'] });
  const last = await createTestEndpoint(db, accountId);
  await addTestEvents(db, accountId, ['task.due', 'task.due']);
  await publishTestEvents(db, createIdleLedger());
  await db.webhookDelivery.updateMany({
    where: { endpointId: overdue, sequence: 1 },
    data: pending(31),
  });
  const expected = [
    { id: endpointId, isOverdue: false },
    { id: overdue, isOverdue: true },
    { id: last, isOverdue: false },
  ];
  expect(await listOwedEndpoints(db, null, 2)).toEqual(expected.slice(0, 2));
  expect(await listOwedEndpoints(db, overdue, 2)).toEqual(expected.slice(2));
  expect(await listOwedEndpoints(db, idle, 2)).toEqual(expected.slice(2));
  expect(await listOwedEndpoints(db, last, 2)).toEqual([]);
});
