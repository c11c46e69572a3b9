import { testDatabase } from '@gatehouse/testing/database';
import { createTestAccount } from '@gatehouse/testing/fixtures';
import { expect, onTestFinished, test } from 'vitest';
import { findRecord, isKeyTaken } from '../src/idempotency-records.ts';
import { type Acceptance, acceptOrders } from '../src/order-acceptance.ts';
import { acceptance } from './trading.ts';

async function setUp() {
  const { db, drop } = await testDatabase();
  onTestFinished(drop);
  const { accountId } = await createTestAccount(db);
  return { db, accountId };
}

/** With an answer that no other has, its members in an order that a sorted one would not keep. */
function answeredWithItsId(accepted: Acceptance): Acceptance {
  const body = JSON.stringify({ status: 'accepted', order: accepted.order.id, a: '1.50' });
  return { ...accepted, record: { ...accepted.record, body } };
}

test('a batch writes order, record, job and event of each, in one transaction', async () => {
  const { db, accountId } = await setUp();
  const batch = [
    acceptance(accountId, { clientOrderId: 'a' }),
    acceptance(accountId, {
      type: 'limit',
      limitPrice: '187.4200',
      quantity: '0.000001',
      symbol: 'BRK.B',
    }),
  ].map(answeredWithItsId);
  expect(await acceptOrders(db, batch)).toEqual(new Set(batch.map(({ order }) => order.id)));
  const [first, second] = await db.order.findMany({ orderBy: { id: 'asc' } });
  expect(first).toMatchObject({
    clientOrderId: 'a',
    status: 'accepted',
    version: 1,
    limitPrice: null,
  });
  expect(first?.createdAt).toEqual(batch[0]?.order.createdAt);
  expect([second?.limitPrice?.toFixed(), second?.quantity.toFixed(), second?.symbol]).toEqual([
    '187.42',
    '0.000001',
    'BRK.B',
  ]);
  const jobs = await db.job.findMany({ orderBy: { id: 'asc' } });
  expect(
    jobs.map(({ subjectId, payload, requestId }) => ({ subjectId, payload, requestId })),
  ).toEqual(
    batch.map(({ order }) => ({
      subjectId: order.id,
      payload: { orderId: order.id, accountId },
      requestId: 'request',
    })),
  );
  const record = await findRecord(db, accountId, batch[0]?.record.key ?? '');
  expect({ ...record, fingerprint: Buffer.from(record?.fingerprint ?? []) }).toMatchObject(
    batch[0]?.record ?? {},
  );
  const events = await db.$queryRaw<{ id: string; order: string; data: string }[]>`
    SELECT id, data ->> 'order' AS "order", data::text FROM event
    WHERE account_id = ${accountId}::uuid AND type = 'order.accepted' AND request_id = 'request'
      AND seq IS NULL AND created_at = (SELECT created_at FROM "order" WHERE id = (data ->> 'order')::uuid)`;
  expect(new Set(events.map(({ id }) => id)).size).toBe(2);
  expect(events.map(({ data }) => data).sort()).toEqual(
    batch.map(({ record: { body } }) => body).sort(),
  );
});

test('a used clientOrderId is left out, within a batch too, and leaves nothing behind', async () => {
  const { db, accountId } = await setUp();
  await acceptOrders(db, [acceptance(accountId, { clientOrderId: 'a' })]);
  const batch = ['a', 'b', 'b', 'c'].map((clientOrderId) =>
    acceptance(accountId, { clientOrderId }),
  );
  const accepted = await acceptOrders(db, batch);
  expect(
    batch
      .filter(({ order }) => accepted.has(order.id))
      .map(({ order }) => order.clientOrderId)
      .sort(),
  ).toEqual(['b', 'c']);
  expect([
    await db.order.count(),
    await db.job.count(),
    await db.idempotencyRecord.count(),
    await db.event.count(),
  ]).toEqual([3, 3, 3, 3]);
});

test('a key that has its answer fails the batch, whole', async () => {
  const { db, accountId } = await setUp();
  await acceptOrders(db, [acceptance(accountId, { key: 'taken' })]);
  const batch = [acceptance(accountId), acceptance(accountId, { key: 'taken' })];
  const error = await acceptOrders(db, batch).catch((thrown: unknown) => thrown);
  expect(isKeyTaken(error)).toBe(true);
  expect([
    await db.order.count(),
    await db.job.count(),
    await db.idempotencyRecord.count(),
    await db.event.count(),
  ]).toEqual([1, 1, 1, 1]);
});

test('of ten that race for one key one wins', async () => {
  const { db, accountId } = await setUp();
  const outcomes = await Promise.allSettled(
    Array.from({ length: 10 }, () => acceptOrders(db, [acceptance(accountId, { key: 'one' })])),
  );
  const lost = outcomes.filter((outcome) => outcome.status === 'rejected');
  expect(lost).toHaveLength(9);
  for (const { reason } of lost) expect(isKeyTaken(reason)).toBe(true);
  expect([await db.order.count(), await db.job.count()]).toEqual([1, 1]);
});
