import { newId } from '@gatehouse/domain/id';
import { testDatabase } from '@gatehouse/testing/database';
import { createTestAccount } from '@gatehouse/testing/fixtures';
import { createIdleLedger } from '@gatehouse/testing/idle-ledger';
import { lockWaiter } from '@gatehouse/testing/locks';
import {
  addTestEvents,
  createTestEndpoint,
  publishTestEvents,
  type TestEndpointSettings,
} from '@gatehouse/testing/webhooks';
import { expect, onTestFinished, test } from 'vitest';
import type { Database } from '../src/client.ts';
import { lockEventLog } from '../src/event-log.ts';
import { publishEvents, unpublishedSeconds } from '../src/event-publishing.ts';
import { insertEvents } from '../src/events.ts';
import { transaction } from '../src/transaction.ts';
import { subscribe, unsubscribe } from '../src/webhook-subscriptions.ts';
import { broken } from './tampering.ts';

const ledger = createIdleLedger();

async function setUp() {
  const { db, drop } = await testDatabase();
  onTestFinished(drop);
  const { accountId } = await createTestAccount(db);
  const endpoint = (settings: TestEndpointSettings = {}) =>
    createTestEndpoint(db, accountId, settings);
  return { db, accountId, endpoint };
}

/** Types of the events that an endpoint is owed, in the order of its sequence, which is without a gap. */
async function owed(db: Database, endpointId: string): Promise<string[]> {
  const rows = await db.webhookDelivery.findMany({
    where: { endpointId },
    orderBy: { sequence: 'asc' },
    include: { event: true },
  });
  const { lastSequence } = await db.webhookEndpoint.findUniqueOrThrow({
    where: { id: endpointId },
  });
  expect(rows.map(({ sequence }) => sequence)).toEqual(rows.map((_, index) => BigInt(index + 1)));
  expect(lastSequence).toBe(BigInt(rows.length));
  return rows.map(({ event }) => event.type);
}

const places = async (db: Database) =>
  (await db.event.findMany({ orderBy: { insertion: 'asc' } })).map(({ seq }) => seq);

test('events get their places in the order in which they happened, a batch after the other', async () => {
  const { db, accountId } = await setUp();
  expect(await unpublishedSeconds(db)).toBeNull();
  await addTestEvents(db, accountId, ['order.accepted', 'order.filled', 'task.due']);
  expect(await unpublishedSeconds(db)).toBeGreaterThanOrEqual(0);
  const publish = () => transaction(db, (tx) => publishEvents(tx, 2));
  expect(await publish()).toEqual({ events: 2, deliveries: 0, endpoints: [] });
  expect(await places(db)).toEqual([1n, 2n, null]);
  expect(await publish()).toEqual({ events: 1, deliveries: 0, endpoints: [] });
  expect(await publish()).toEqual({ events: 0, deliveries: 0, endpoints: [] });
  expect(await places(db)).toEqual([1n, 2n, 3n]);
  expect(await db.eventLog.findMany()).toEqual([{ id: 1, lastSeq: 3n }]);
  expect(await unpublishedSeconds(db)).toBeNull();
});

test('an endpoint is owed what it listens to, when it is enabled and of the account', async () => {
  const { db, accountId, endpoint } = await setUp();
  const orders = await endpoint({ eventTypes: ['order.*'] });
  const filled = await endpoint({ eventTypes: ['order.filled', 'task.due'] });
  const all = await endpoint();
  const disabled = await endpoint();
  const off = { disabledReason: 'owner', disabledAt: new Date() } as const;
  await db.webhookEndpoint.update({ where: { id: disabled }, data: off });
  const deleted = await endpoint();
  await db.webhookEndpoint.update({ where: { id: deleted }, data: { deletedAt: new Date() } });
  const { accountId: other } = await createTestAccount(db);
  const others = await createTestEndpoint(db, other);

  await addTestEvents(db, accountId, [
    'order.filled',
    'task.due',
    'order.accepted',
    'task.created',
  ]);
  const published = await transaction(db, (tx) => publishEvents(tx, 500));
  expect(await owed(db, orders)).toEqual(['order.filled', 'order.accepted']);
  expect(await owed(db, filled)).toEqual(['order.filled', 'task.due']);
  expect(await owed(db, all)).toEqual([
    ...['order.filled', 'task.due', 'order.accepted', 'task.created'],
  ]);
  for (const id of [disabled, deleted, others]) expect(await owed(db, id)).toEqual([]);
  expect(published?.endpoints.map(({ endpointId }) => endpointId).sort()).toEqual(
    [orders, filled, all].sort(),
  );

  await addTestEvents(db, accountId, ['task.created', 'order.expired']);
  const next = await transaction(db, (tx) => publishEvents(tx, 500));
  expect(await owed(db, orders)).toEqual(['order.filled', 'order.accepted', 'order.expired']);
  expect(next?.endpoints.map(({ endpointId }) => endpointId).sort()).toEqual([orders, all].sort());
  const [first] = await db.webhookDelivery.findMany({ where: { endpointId: orders, sequence: 1 } });
  expect(first).toMatchObject({ accountId, status: 'pending', attempts: 0, replayId: null });
  expect(first?.nextAttemptAt?.getTime()).toBeLessThanOrEqual(Date.now() + 1_000);
});

test('a test is owed to its endpoint alone; it waits at a disabled one, and at a deleted one for the job that cancels it', async () => {
  const { db, accountId, endpoint } = await setUp();
  const [deaf, all, disabled, deleted] = [
    await endpoint({ eventTypes: ['task.due'] }),
    await endpoint(),
    await endpoint(),
    await endpoint(),
  ];
  for (const onlyEndpointId of [deaf, disabled, deleted]) {
    await addTestEvents(db, accountId, ['webhook_endpoint.test'], { onlyEndpointId });
  }
  await transaction(db, async (tx) => {
    const lastSeq = await lockEventLog(tx);
    const off = { disabledReason: 'owner', disabledAt: new Date() } as const;
    await tx.webhookEndpoint.update({ where: { id: disabled }, data: off });
    await tx.webhookEndpoint.update({ where: { id: deleted }, data: { deletedAt: new Date() } });
    for (const id of [disabled, deleted]) await unsubscribe(tx, id, lastSeq);
  });
  await publishTestEvents(db, ledger);
  const rows = await db.webhookDelivery.findMany();
  expect(new Map(rows.map((row) => [row.endpointId, row.status]))).toEqual(
    new Map([
      [deaf, 'pending'],
      [disabled, 'pending'],
      [deleted, 'pending'],
    ]),
  );
  expect(rows).toHaveLength(3);
  expect(await owed(db, all)).toEqual([]);
  const jobs = await db.job.findMany();
  expect(jobs.map(({ subjectId }) => subjectId).sort()).toEqual([deaf, deleted].sort());
  expect(await broken(db)).toEqual([]);
});

test('the job of a paused endpoint is not brought forward, and knows the newest request', async () => {
  const { db, accountId, endpoint } = await setUp();
  const [paused, resumed] = [await endpoint(), await endpoint()];
  const pausedUntil = new Date(Date.now() + 3_600_000);
  await db.webhookEndpoint.update({ where: { id: paused }, data: { pausedUntil } });
  const past = new Date(Date.now() - 3_600_000);
  await db.webhookEndpoint.update({ where: { id: resumed }, data: { pausedUntil: past } });
  await addTestEvents(db, accountId, ['task.due'], { requestId: 'old' });
  await addTestEvents(db, accountId, ['task.due'], { requestId: 'new' });
  const published = await transaction(db, (tx) => publishEvents(tx, 500));
  expect(new Map(published?.endpoints.map((one) => [one.endpointId, one]))).toEqual(
    new Map([
      [paused, { endpointId: paused, runAt: pausedUntil, requestId: 'new' }],
      [resumed, { endpointId: resumed, runAt: null, requestId: 'new' }],
    ]),
  );
});

test('the job of an ordered endpoint comes no earlier than the retry of its first, and else at once', async () => {
  const { db, accountId, endpoint } = await setUp();
  const [waiting, retried, unordered] = [await endpoint(), await endpoint(), await endpoint()];
  const ordered = { id: { in: [waiting, retried] } };
  await db.webhookEndpoint.updateMany({ where: ordered, data: { ordered: true } });
  await addTestEvents(db, accountId, ['task.due']);
  await publishTestEvents(db, ledger);
  const nextAttemptAt = new Date(Date.now() + 3_600_000);
  await db.webhookDelivery.updateMany({ data: { nextAttemptAt } });
  await addTestEvents(db, accountId, ['task.due']);
  const published = await transaction(db, async (other) => {
    // By hand, while the publisher waits for the endpoint.
    await other.$executeRaw`SELECT 1 FROM webhook_endpoint WHERE id = ${retried}::uuid FOR NO KEY UPDATE`;
    await other.webhookDelivery.updateMany({
      where: { endpointId: retried },
      data: { nextAttemptAt: new Date(0) },
    });
    const publishing = transaction(db, (tx) => publishEvents(tx, 500));
    await lockWaiter(db);
    return { publishing };
  });
  const { endpoints = [] } = (await published.publishing) ?? {};
  expect(new Map(endpoints.map(({ endpointId, runAt }) => [endpointId, runAt]))).toEqual(
    new Map([
      [waiting, nextAttemptAt],
      [retried, null],
      [unordered, null],
    ]),
  );
});

test('while one publishes the others pass; what one that dies has done is undone', async () => {
  const { db, accountId, endpoint } = await setUp();
  const id = await endpoint();
  await addTestEvents(db, accountId, ['order.accepted', 'order.filled']);
  const dying = transaction(db, async (tx) => {
    expect(await publishEvents(tx, 500)).toMatchObject({ events: 2 });
    expect(await transaction(db, (other) => publishEvents(other, 500))).toBeNull();
    throw new Error('killed');
  });
  await expect(dying).rejects.toThrow('killed');
  expect(await places(db)).toEqual([null, null]);
  expect(await owed(db, id)).toEqual([]);
  expect(await publishTestEvents(db, ledger)).toBe(2);
  expect(await places(db)).toEqual([1n, 2n]);
  expect(await owed(db, id)).toEqual(['order.accepted', 'order.filled']);
  expect(await broken(db)).toEqual([]);
});

test('an endpoint that is changed while somebody publishes is owed what comes after that', async () => {
  const { db, accountId, endpoint } = await setUp();
  const id = await endpoint({ eventTypes: ['order.*'] });
  await addTestEvents(db, accountId, ['order.filled', 'task.due']);
  const { changing } = await transaction(db, async (tx) => {
    await publishEvents(tx, 500);
    const changing = transaction(db, async (other) => {
      const lastSeq = await lockEventLog(other);
      const eventTypes = ['task.*'];
      await other.webhookEndpoint.update({ where: { id }, data: { eventTypes } });
      await subscribe(other, id, eventTypes, lastSeq);
      return lastSeq;
    });
    await lockWaiter(db);
    return { changing };
  });
  expect(await changing).toBe(2n);
  await addTestEvents(db, accountId, ['order.filled', 'task.due']);
  await publishTestEvents(db, ledger);
  expect(await owed(db, id)).toEqual(['order.filled', 'task.due']);
});

test('an event of a transaction that commits late comes after those that were committed before it', async () => {
  const { db, accountId } = await setUp();
  const event = (type: 'order.accepted' | 'order.filled') => ({
    ...{ id: newId(), accountId, type, data: {}, requestId: null, at: new Date() },
  });
  const [slow, quick] = [event('order.accepted'), event('order.filled')];
  await transaction(db, async (tx) => {
    await insertEvents(tx, [slow]);
    await transaction(db, (other) => insertEvents(other, [quick]));
    expect(await publishTestEvents(db, ledger)).toBe(1);
  });
  expect(await publishTestEvents(db, ledger)).toBe(1);
  const rows = await db.event.findMany({ orderBy: { seq: 'asc' } });
  expect(rows.map(({ id, seq }) => [id, seq])).toEqual([
    [quick.id, 1n],
    [slow.id, 2n],
  ]);
});
