import { newId } from '@gatehouse/domain/id';
import { until } from '@gatehouse/testing/condition';
import { testDatabase } from '@gatehouse/testing/database';
import { createTestAccount } from '@gatehouse/testing/fixtures';
import { expect, onTestFinished, test } from 'vitest';
import {
  beginRecord,
  deleteExpiredRecord,
  deleteExpiredRecords,
  findRecord,
  insertRecord,
  isKeyTaken,
  RECORD_LIFETIME_MS,
} from '../src/idempotency-records.ts';

test('cleaners at once delete each expired record once, in batches, and none that is live', async () => {
  const { db, drop } = await testDatabase();
  onTestFinished(drop);
  const { accountId } = await createTestAccount(db);
  const record = (key: string, ageMs: number) => ({
    accountId,
    key,
    fingerprint: Buffer.from(key),
    status: 201,
    headers: {},
    body: '{}',
    createdAt: new Date(Date.now() - ageMs),
  });
  const expired = Array.from({ length: 250 }, (_, index) =>
    record(`expired-${index}`, RECORD_LIFETIME_MS + 1_000 + index),
  );
  const live = [record('fresh', 0), record('almost', RECORD_LIFETIME_MS - 60_000)];
  await db.idempotencyRecord.createMany({ data: [...expired, ...live] });

  await db.$transaction(async (tx) => {
    expect(await deleteExpiredRecords(tx, 20)).toBe(20);
    // Beside a cleaner that has not committed yet: neither waits for it, nor takes the same again.
    const others = Array.from({ length: 4 }, () => deleteExpiredRecords(db, 20));
    expect(await Promise.all(others)).toEqual([20, 20, 20, 20]);
  });
  expect(await db.idempotencyRecord.count()).toBe(152);
  expect(await deleteExpiredRecords(db, 1_000)).toBe(150);
  expect(await deleteExpiredRecords(db, 1_000)).toBe(0);
  const left = await db.idempotencyRecord.findMany({ orderBy: { key: 'asc' } });
  expect(left.map(({ key }) => key)).toEqual(['almost', 'fresh']);
});

async function setUp() {
  const { db, drop } = await testDatabase();
  onTestFinished(drop);
  const { accountId } = await createTestAccount(db);
  const request = { accountId, key: 'k', fingerprint: Buffer.from('this') };
  const other = { ...request, fingerprint: Buffer.from('that') };
  const answer = { status: 201, headers: { location: '/here' }, body: '{}' };
  return {
    db,
    request,
    other,
    answer,
    begin: (of: typeof request, at = newId()) => db.$transaction((tx) => beginRecord(tx, of, at)),
    insert: (of: typeof request) =>
      db
        .$transaction((tx) => insertRecord(tx, { ...of, ...answer }))
        .catch((error: unknown) => {
          if (isKeyTaken(error)) return 'taken';
          throw error;
        }),
    find: () => findRecord(db, accountId, 'k'),
  };
}

test('a mutation that was begun goes on from where it was, until it is completed', async () => {
  const { begin, insert, find, request, other, answer } = await setUp();
  const at = newId();
  expect(await begin(request, at)).toBe(at);
  expect(await begin(request)).toBe(at);
  expect(await find()).toMatchObject({ recoveryPoint: at });
  // Another request can neither go on with it nor answer in its place.
  await expect(begin(other)).rejects.toSatisfy(isKeyTaken);
  expect(await insert(other)).toBe('taken');

  expect(await insert(request)).toBeUndefined();
  expect(await find()).toMatchObject({ recoveryPoint: null, ...answer });
  expect(await insert(request)).toBe('taken');
  await expect(begin(request)).rejects.toSatisfy(isKeyTaken);
});

test('a key that has an answer cannot be begun', async () => {
  const { begin, insert, find, request } = await setUp();
  await insert(request);
  await expect(begin(request)).rejects.toSatisfy(isKeyTaken);
  expect((await find())?.recoveryPoint).toBeNull();
});

test('of many that begin at once all go on from one point', async () => {
  const { begin, request } = await setUp();
  const points = await Promise.all(Array.from({ length: 8 }, () => begin(request)));
  expect(new Set(points).size).toBe(1);
});

test('who begins while another has not committed waits for it, and takes its place when it fails', async () => {
  const { db, begin, request } = await setUp();
  const isBegun = Promise.withResolvers<void>();
  const isReleased = Promise.withResolvers<void>();
  const first = db.$transaction(async (tx) => {
    await beginRecord(tx, request, newId());
    isBegun.resolve();
    await isReleased.promise;
    throw new Error('it fails');
  });
  await isBegun.promise;
  const at = newId();
  const second = begin(request, at);
  await until(
    async () =>
      (await db.$queryRaw<unknown[]>`SELECT 1 FROM pg_locks WHERE NOT granted`).length > 0,
    { what: 'the second to wait' },
  );
  isReleased.resolve();
  await expect(first).rejects.toThrow('it fails');
  expect(await second).toBe(at);
});

test('a key that was begun a day ago is new', async () => {
  const { db, begin, find, request } = await setUp();
  const old = await begin(request);
  await db.$executeRaw`UPDATE idempotency_record SET created_at = now() - interval '24 hours 1 second'`;
  expect(await find()).toBeNull();
  await expect(begin(request)).rejects.toSatisfy(isKeyTaken);
  await deleteExpiredRecord(db, request.accountId, 'k');
  expect(await begin(request)).not.toBe(old);
});
