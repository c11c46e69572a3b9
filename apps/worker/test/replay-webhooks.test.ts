import { transaction } from '@gatehouse/db/transaction';
import { cancelDeliveries } from '@gatehouse/db/webhook-deliveries';
import { findReplay } from '@gatehouse/db/webhook-replays';
import { createTestAccount } from '@gatehouse/testing/fixtures';
import { addTestEvents, createTestEndpoint, publishTestEvents } from '@gatehouse/testing/webhooks';
import { expect, test } from 'vitest';
import { begin, broken, deliveries, end, HOUR, ledger, run, setUp } from './replays.ts';

test('an endpoint that came later is sent the window, in order, and nothing else', async () => {
  const { db, accountId } = await setUp();
  const before = new Date(Date.now() - 3 * HOUR);
  await addTestEvents(db, accountId, ['order.filled', 'order.filled'], { at: before });
  await addTestEvents(db, accountId, ['order.accepted', 'task.due', 'order.filled']);
  const { accountId: other } = await createTestAccount(db);
  await addTestEvents(db, other, ['order.filled']);
  const earlier = await createTestEndpoint(db, accountId, { eventTypes: ['task.due'] });
  await addTestEvents(db, accountId, ['webhook_endpoint.test'], { onlyEndpointId: earlier });
  await publishTestEvents(db, ledger);
  const endpointId = await createTestEndpoint(db, accountId, {
    eventTypes: ['order.*', 'webhook_endpoint.*'],
  });
  await addTestEvents(db, accountId, ['order.expired']);
  await publishTestEvents(db, ledger);
  expect(await deliveries(db, endpointId)).toEqual(['8 pending']);
  await db.job.deleteMany({ where: { name: 'deliver-webhooks', subjectId: endpointId } });
  await end(db, 'succeeded');

  const until = new Date(Date.now() + HOUR);
  const id = await begin(db, accountId, endpointId, { since: new Date(Date.now() - HOUR), until });
  expect(await findReplay(db, accountId, id)).toMatchObject({
    total: 5,
    examined: 0,
    scheduled: 0,
  });
  await run(db, id);
  expect(await deliveries(db, endpointId)).toEqual(['8 pending', '3 pending', '5 pending']);
  expect(await db.job.count({ where: { subjectId: id } })).toBe(0);
  expect(await db.job.count({ where: { subjectId: endpointId } })).toBe(1);
  expect(await findReplay(db, accountId, id)).toMatchObject({
    ...{ status: 'succeeded', total: 5, examined: 5, scheduled: 3, pending: 3, delivered: 0 },
    endedAt: expect.any(Date),
  });
  await end(db, 'succeeded', [1, 2]);
  await end(db, 'failed', [3]);
  const counts = { pending: 0, delivered: 2, failed: 1 };
  expect(await findReplay(db, accountId, id)).toMatchObject(counts);
  expect(await broken(db)).toEqual([]);
});

test('what had ended begins anew in its place, what is pending is left alone, attempts stay', async () => {
  const { db, accountId } = await setUp();
  const endpointId = await createTestEndpoint(db, accountId);
  await addTestEvents(db, accountId, ['task.due', 'task.due', 'task.due', 'task.due']);
  await publishTestEvents(db, ledger);
  await end(db, 'succeeded', [1]);
  await end(db, 'failed', [2]);
  await db.webhookDelivery.updateMany({
    where: { sequence: 3 },
    data: { attempts: 4, nextAttemptAt: new Date(Date.now() + HOUR) },
  });
  const [kept] = await db.webhookDelivery.findMany({ where: { sequence: 3 } });
  const [first] = await db.webhookDelivery.findMany({ where: { sequence: 1 } });
  const id = await begin(db, accountId, endpointId);
  await run(db, id);
  const rows = await db.webhookDelivery.findMany({ orderBy: { sequence: 'asc' } });
  expect(rows.map((row) => [row.status, row.attempts, row.replayId])).toEqual([
    ['pending', 0, id],
    ['pending', 0, id],
    ['pending', 4, null],
    ['pending', 0, null],
  ]);
  expect(rows[0]?.id).toBe(first?.id);
  expect(rows[2]).toEqual(kept);
  expect(await db.webhookAttempt.count()).toBe(2);
  expect(await findReplay(db, accountId, id)).toMatchObject({ examined: 4, scheduled: 2 });
  expect(await broken(db)).toEqual([]);
});

test('only what failed: not what arrived, and not what was never owed', async () => {
  const { db, accountId } = await setUp();
  await addTestEvents(db, accountId, ['task.due']);
  await publishTestEvents(db, ledger);
  const endpointId = await createTestEndpoint(db, accountId);
  await addTestEvents(db, accountId, ['task.due', 'task.due', 'task.due']);
  await publishTestEvents(db, ledger);
  await end(db, 'succeeded', [1]);
  await end(db, 'failed', [2]);
  await transaction(db, (tx) => cancelDeliveries(tx, endpointId, 1_000));
  const id = await begin(db, accountId, endpointId, { onlyFailed: true });
  await run(db, id);
  expect(await deliveries(db, endpointId)).toEqual(['2 succeeded', '3 pending', '4 pending']);
  expect(await findReplay(db, accountId, id)).toMatchObject({ examined: 4, scheduled: 2 });
});

test('a replay takes nothing that is older than events are kept, whether it was owed or not', async () => {
  const { db, accountId } = await setUp();
  const old = { at: new Date(Date.now() - 31 * 24 * HOUR) };
  const endpointId = await createTestEndpoint(db, accountId, { eventTypes: ['task.due'] });
  await addTestEvents(db, accountId, ['task.due'], old);
  await publishTestEvents(db, ledger);
  await end(db, 'failed');
  await addTestEvents(db, accountId, ['order.filled'], old);
  await addTestEvents(db, accountId, ['order.filled']);
  await publishTestEvents(db, ledger);
  await db.webhookEndpoint.update({ where: { id: endpointId }, data: { eventTypes: ['*'] } });
  const id = await begin(db, accountId, endpointId);
  await run(db, id);
  expect(await deliveries(db, endpointId)).toEqual(['1 failed', '3 pending']);
  const progress = { status: 'succeeded', total: 1, examined: 1, scheduled: 1 };
  expect(await findReplay(db, accountId, id)).toMatchObject(progress);
});

test('a replay without an end takes all that is in the log, whatever the clocks of those who wrote it say', async () => {
  const { db, accountId } = await setUp();
  const at = new Date(Date.now() + HOUR / 2);
  await addTestEvents(db, accountId, ['task.due'], { at });
  await publishTestEvents(db, ledger);
  const endpointId = await createTestEndpoint(db, accountId);
  const id = await begin(db, accountId, endpointId, { until: null });
  await addTestEvents(db, accountId, ['task.due'], { at: new Date() });
  await publishTestEvents(db, ledger);
  await run(db, id);
  expect(await deliveries(db, endpointId)).toEqual(['2 pending', '1 pending']);
  expect(await findReplay(db, accountId, id)).toMatchObject({ total: 1, examined: 1 });
});
