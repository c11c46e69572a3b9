import { testDatabase } from '@gatehouse/testing/database';
import { createTestAccount } from '@gatehouse/testing/fixtures';
import { expect, onTestFinished, test } from 'vitest';
import { deleteExpiredRecords, RECORD_LIFETIME_MS } from '../src/idempotency-records.ts';

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
