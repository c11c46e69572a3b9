import { newId } from '@gatehouse/domain/id';
import { testDatabase } from '@gatehouse/testing/database';
import { createTestAccount } from '@gatehouse/testing/fixtures';
import { addTestEvents, createTestEndpoint } from '@gatehouse/testing/webhooks';
import { expect, onTestFinished, test } from 'vitest';
import type { Database, Transaction } from '../src/client.ts';
import { lockEventLog } from '../src/event-log.ts';
import { publishEvents } from '../src/event-publishing.ts';
import { transaction } from '../src/transaction.ts';
import { insertEndpoint, listEndpoints } from '../src/webhook-endpoints.ts';
import { broken } from './tampering.ts';

async function setUp() {
  const { db, drop } = await testDatabase();
  onTestFinished(drop);
  const { accountId } = await createTestAccount(db);
  return { db, accountId };
}

const publish = (db: Database, limit = 5_000) => transaction(db, (tx) => publishEvents(tx, limit));

async function addEndpoints(db: Database, accountId: string, count: number, deletedAt?: Date) {
  await db.webhookEndpoint.createMany({
    data: Array.from({ length: count }, () => ({
      ...{ id: newId(), accountId, url: 'http://127.0.0.1:9/', eventTypes: ['*'], ordered: false },
      ...{ maxConcurrency: 8, sealedSecret: new Uint8Array(1), deletedAt: deletedAt ?? null },
    })),
  });
}

test('a batch ends with the event that makes its deliveries some 2,000; the next goes on from there', async () => {
  const { db, accountId } = await setUp();
  const { accountId: other } = await createTestAccount(db);
  const all = [await createTestEndpoint(db, accountId), await createTestEndpoint(db, accountId)];
  const few = await createTestEndpoint(db, accountId, { eventTypes: ['order.*'] });
  await addTestEvents(db, other, Array<'task.due'>(100).fill('task.due'));
  await addTestEvents(db, accountId, Array<'order.filled'>(200).fill('order.filled'));
  await addTestEvents(db, accountId, Array<'task.due'>(900).fill('task.due'));
  await addTestEvents(db, accountId, ['order.filled']);
  expect(await publish(db)).toMatchObject({ events: 1_000, deliveries: 2_000 });
  expect(await db.eventLog.findMany()).toEqual([{ id: 1, lastSeq: 1_000n }]);
  expect(await publish(db)).toMatchObject({ events: 201, deliveries: 403 });
  const events = await db.event.findMany({ orderBy: { insertion: 'asc' } });
  expect(events.map(({ seq }) => seq)).toEqual(events.map((_, index) => BigInt(index + 1)));
  const counted = await db.webhookEndpoint.findMany({ orderBy: { id: 'asc' } });
  expect(counted.map(({ id, lastSequence }) => [id, lastSequence])).toEqual([
    ...all.map((id) => [id, 1_101n]),
    [few, 201n],
  ]);
  expect(await broken(db)).toEqual([expect.stringContaining('is owed its job')]);
});

test('one event is published however many are told of it', async () => {
  const { db, accountId } = await setUp();
  await addEndpoints(db, accountId, 2_100);
  await addTestEvents(db, accountId, ['task.due', 'task.due']);
  expect(await publish(db)).toMatchObject({ events: 1, deliveries: 2_100 });
  expect(await publish(db)).toMatchObject({ events: 1, deliveries: 2_100 });
  expect(await publish(db)).toMatchObject({ events: 0, deliveries: 0 });
});

test('an endpoint that hears none of the events is not waited for', async () => {
  const { db, accountId } = await setUp();
  const { accountId: other } = await createTestAccount(db);
  const deaf = await createTestEndpoint(db, accountId, { eventTypes: ['task.due', 'deposit.*'] });
  const hearing = await createTestEndpoint(db, accountId, { eventTypes: ['order.*'] });
  await addTestEvents(db, accountId, ['order.filled']);
  await addTestEvents(db, accountId, ['webhook_endpoint.test'], { onlyEndpointId: hearing });
  await addTestEvents(db, other, ['task.due']);
  await transaction(db, async (tx) => {
    await tx.$executeRaw`SELECT 1 FROM webhook_endpoint WHERE id = ${deaf}::uuid FOR UPDATE`;
    expect(await publish(db)).toMatchObject({ events: 3, deliveries: 2 });
  });
});

/** Rows of endpoints that the transaction has looked at. */
async function endpointsVisited(tx: Transaction): Promise<number> {
  const [row] = await tx.$queryRaw<{ visited: number }[]>`
    SELECT (seq_tup_read + coalesce(idx_tup_fetch, 0))::int AS visited
    FROM pg_stat_xact_user_tables WHERE relname = 'webhook_endpoint'`;
  return row?.visited ?? Number.NaN;
}

test('endpoints that were deleted slow down neither publishing nor creating nor listing', async () => {
  const { db, accountId } = await setUp();
  await addEndpoints(db, accountId, 5_000, new Date());
  await addEndpoints(db, accountId, 3);
  await db.$executeRaw`ANALYZE webhook_endpoint`;
  const deleted = await db.webhookEndpoint.findFirst({ where: { deletedAt: { not: null } } });
  await addTestEvents(db, accountId, ['task.due']);
  await addTestEvents(db, accountId, ['webhook_endpoint.test'], {
    onlyEndpointId: deleted?.id ?? '',
  });
  const visited = (read: (tx: Transaction) => Promise<unknown>) =>
    transaction(db, async (tx) => {
      await read(tx);
      return endpointsVisited(tx);
    });
  const settings = {
    ...{ url: 'http://127.0.0.1:9/', description: null, eventTypes: ['*'], ordered: false },
    ...{ rateLimitPerSecond: null, maxConcurrency: 8, sealedSecret: new Uint8Array(1) },
  };
  const of = { at: new Date(), requestId: null };
  const seen = {
    publishing: await visited((tx) => publishEvents(tx, 500)),
    listing: await visited((tx) => listEndpoints(tx, accountId, { limit: 10 })),
    creating: await visited(async (tx) =>
      insertEndpoint(tx, { ...settings, id: newId(), accountId }, await lockEventLog(tx), of),
    ),
  };
  for (const [what, count] of Object.entries(seen)) expect(count, what).toBeLessThan(100);
});
