import { testDatabase } from '@gatehouse/testing/database';
import { createTestAccount } from '@gatehouse/testing/fixtures';
import { createTestEndpoint } from '@gatehouse/testing/webhooks';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Transaction } from '../src/client.ts';
import { listEvents } from '../src/event-reads.ts';
import { transaction } from '../src/transaction.ts';
import { deleteUser, lockUser } from '../src/user-changes.ts';
import { type DeliveryFilter, listDeliveries } from '../src/webhook-delivery-reads.ts';

const EVENTS = 20_000;

/** Of his own events all are of the first type, save five of the second; his neighbour has the others as well. */
const [COMMON, RARE, NEIGHBOURS] = ['task.created', 'task.due', 'order.filled'] as const;

let test_: Awaited<ReturnType<typeof testDatabase>>;
let accountId: string;
beforeAll(async () => {
  test_ = await testDatabase();
  const { db } = test_;
  const [own, neighbour] = [await createTestAccount(db), await createTestAccount(db)];
  accountId = own.accountId;
  for (const { accountId: of } of [own, neighbour]) {
    const endpointId = await createTestEndpoint(db, of);
    await db.$executeRaw`
      INSERT INTO event (id, account_id, type, data, seq)
      SELECT gen_random_uuid(), ${of}::uuid, CASE
        WHEN ${of} = ${neighbour.accountId} THEN ${NEIGHBOURS} WHEN n % ${EVENTS / 5} = 0 THEN ${RARE} ELSE ${COMMON} END,
        '{}', n + (SELECT COALESCE(max(seq), 0) FROM event)
      FROM generate_series(1, ${EVENTS}::int) AS n`;
    await db.$executeRaw`
      INSERT INTO webhook_delivery (id, account_id, endpoint_id, event_id, sequence, status, ended_at)
      SELECT gen_random_uuid(), account_id, ${endpointId}::uuid, id, seq, 'succeeded', now()
      FROM event WHERE account_id = ${of}::uuid`;
  }
  await db.$executeRaw`ANALYZE`;
});
afterAll(() => test_.drop());

/** How many rows of events and deliveries are read for something, and how many come of it. */
async function readFor(list: (tx: Transaction) => Promise<{ data: unknown[] }>) {
  return transaction(test_.db, async (tx) => {
    // What other processes read is not counted here.
    await tx.$executeRaw`SET LOCAL max_parallel_workers_per_gather = 0`;
    const before = await rowsRead(tx);
    const { data } = await list(tx);
    return { listed: data.length, read: (await rowsRead(tx)) - before };
  });
}

/** Of this connection, since it has reported them last. */
async function rowsRead(tx: Transaction): Promise<number> {
  const [counts] = await tx.$queryRaw<{ rows: number }[]>`
    SELECT COALESCE(sum(seq_tup_read + idx_tup_fetch), 0)::int AS rows FROM pg_stat_xact_user_tables
    WHERE relname IN ('event', 'webhook_delivery')`;
  return counts?.rows ?? Number.NaN;
}

test.each([
  ['that are rare', [RARE], 5],
  ['that are common', [COMMON], 20],
  ['of a neighbour', [NEIGHBOURS], 0],
  ['of a resource', [COMMON, RARE, 'task.deleted'], 20],
  ['of a resource of a neighbour', [NEIGHBOURS, 'order.accepted', 'order.canceled'], 0],
])('events of types %s are found without reading the others', async (_, types, listed) => {
  const request = { after: 0, types, limit: 20 };
  const page = await readFor((tx) => listEvents(tx, accountId, request));
  expect(page.listed).toBe(listed);
  expect(page.read).toBeLessThan(200);
});

test('whoever asks again and again for a type that does not come has nearly nothing read', async () => {
  const request = { after: EVENTS / 2, types: [NEIGHBOURS, 'order.accepted'], limit: 20 };
  const page = await readFor((tx) => listEvents(tx, accountId, request));
  expect(page.listed).toBe(0);
  expect(page.read).toBeLessThan(200);
});

test.each<[string, DeliveryFilter, number]>([
  ['that is rare', { eventType: RARE }, 5],
  ['that is common', { eventType: COMMON }, 20],
  ['of a neighbour', { eventType: NEIGHBOURS }, 0],
  ['nobody has', { eventType: 'deposit.created' }, 0],
])('deliveries of a type %s are found without reading the others', async (_, filter, listed) => {
  const page = await readFor((tx) => listDeliveries(tx, accountId, filter, { limit: 20 }));
  expect(page.listed).toBe(listed);
  expect(page.read).toBeLessThan(2_500);
});

test.each(['pending', 'failed', 'canceled', 'undelivered'] as const)(
  'deliveries that are %s are found without reading the others',
  async (status) => {
    const page = await readFor((tx) => listDeliveries(tx, accountId, { status }, { limit: 20 }));
    expect(page.listed).toBe(0);
    expect(page.read).toBeLessThan(200);
  },
);

test('a user to whom nothing has happened is deleted without reading what happened to others', async () => {
  const { accountId: unused } = await createTestAccount(test_.db, { cash: '0' });
  const { id } = await test_.db.user.findFirstOrThrow({ where: { accountId: unused } });
  const deletion = await readFor(async (tx) => {
    const user = await lockUser(tx, id);
    return { data: user !== null && (await deleteUser(tx, user)) ? [user] : [] };
  });
  expect(deletion.listed).toBe(1);
  expect(deletion.read).toBeLessThan(200);
});
