import type { Database } from '@gatehouse/db/client';
import { RECORD_LIFETIME_MS } from '@gatehouse/db/idempotency-records';
import { until } from '@gatehouse/testing/condition';
import { createTestAccount } from '@gatehouse/testing/fixtures';
import { pino } from 'pino';
import { expect, test } from 'vitest';
import { createCleanIdempotencyRecords } from '../src/processors/clean-idempotency-records.ts';
import { startStack } from './stack.ts';

const EXPIRED = 2_500;

async function addRecords(db: Database): Promise<void> {
  const { accountId } = await createTestAccount(db);
  const expiredAt = new Date(Date.now() - RECORD_LIFETIME_MS - 1_000);
  const record = (key: string, createdAt: Date) => ({
    accountId,
    key,
    fingerprint: Buffer.from(key),
    status: 201,
    headers: {},
    body: '{}',
    createdAt,
  });
  await db.idempotencyRecord.createMany({
    data: [
      ...Array.from({ length: EXPIRED }, (_, index) => record(`expired-${index}`, expiredAt)),
      record('live', new Date()),
    ],
  });
}

test('workers delete the answers that have outlived their day, and leave the others', async () => {
  const { db, startWorker } = await startStack();
  await addRecords(db);
  await Promise.all([startWorker(), startWorker()]);
  await until(async () => (await db.idempotencyRecord.count()) === 1, {
    what: 'the expired records to be gone',
  });
  expect(await db.idempotencyRecord.findMany()).toMatchObject([{ key: 'live' }]);
});

test('a round deletes all of them; one that is cut short stops, and harms nothing', async () => {
  const { db } = await startStack();
  await addRecords(db);
  const cleaner = createCleanIdempotencyRecords({ db });
  const log = pino({ level: 'silent' });
  await cleaner.run({ signal: AbortSignal.abort(), log });
  expect(await db.idempotencyRecord.count()).toBe(EXPIRED + 1);
  const { signal } = new AbortController();
  await Promise.all([1, 2, 3].map(() => cleaner.run({ signal, log })));
  expect(await db.idempotencyRecord.count()).toBe(1);
});
