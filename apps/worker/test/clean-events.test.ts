import type { Database } from '@gatehouse/db/client';
import { checkInvariants } from '@gatehouse/db/invariants';
import { until } from '@gatehouse/testing/condition';
import { createTestAccount } from '@gatehouse/testing/fixtures';
import { createIdleLedger } from '@gatehouse/testing/idle-ledger';
import { addTestEvents, createTestEndpoint, publishTestEvents } from '@gatehouse/testing/webhooks';
import { pino } from 'pino';
import { expect, test } from 'vitest';
import { createCleanEvents } from '../src/processors/clean-events.ts';
import { startStack } from './stack.ts';

const OLD = 2_500;
const MONTH_AGO = new Date(Date.now() - 31 * 86_400_000);

/** So many old events that an endpoint was owed, all of them for too long, and a young one. */
async function addEvents(db: Database): Promise<void> {
  const { accountId } = await createTestAccount(db);
  await createTestEndpoint(db, accountId, { eventTypes: ['task.due'] });
  const many = Array<'task.due'>(OLD).fill('task.due');
  await addTestEvents(db, accountId, many, { at: MONTH_AGO });
  await addTestEvents(db, accountId, ['task.created']);
  await publishTestEvents(db, createIdleLedger());
  await db.webhookDelivery.updateMany({
    data: { createdAt: MONTH_AGO, nextAttemptAt: new Date(Date.now() + 3_600_000) },
  });
}

test('workers delete old events, also those that an endpoint was owed for too long', async () => {
  const { db, startWorker } = await startStack();
  await addEvents(db);
  await Promise.all([startWorker(), startWorker()]);
  await until(async () => (await db.event.count()) === 1, {
    what: 'the old events to be gone',
    timeoutMs: 30_000,
  });
  expect(await db.webhookDelivery.count()).toBe(0);
  expect(await db.event.findMany()).toMatchObject([{ type: 'task.created' }]);
  expect((await checkInvariants(db)).flatMap(({ violations }) => violations)).toEqual([]);
});

test('a round deletes all of them; one that is cut short stops, and harms nothing', async () => {
  const { db } = await startStack();
  await addEvents(db);
  const cleaner = createCleanEvents({ db });
  const log = pino({ level: 'silent' });
  await cleaner.run({ signal: AbortSignal.abort(), log });
  expect(await db.event.count()).toBe(OLD + 1);
  const { signal } = new AbortController();
  await Promise.all([1, 2, 3].map(() => cleaner.run({ signal, log })));
  expect([await db.event.count(), await db.webhookDelivery.count()]).toEqual([1, 0]);
});
