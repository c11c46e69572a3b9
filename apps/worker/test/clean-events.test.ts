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
  const { db, ledger } = await startStack();
  await addEvents(db);
  const cleaner = createCleanEvents({ db, ledger });
  const lines: string[] = [];
  const log = pino({}, { write: (line) => lines.push(line) });
  await cleaner.run({ signal: AbortSignal.abort(), log });
  expect(await db.event.count()).toBe(OLD + 1);
  const { signal } = new AbortController();
  await Promise.all([1, 2, 3].map(() => cleaner.run({ signal, log })));
  expect([await db.event.count(), await db.webhookDelivery.count()]).toEqual([1, 0]);
  const told = lines.map((line): { level: number; deliveries?: number } => JSON.parse(line));
  const given = told.filter(({ level }) => level === pino.levels.values.warn);
  expect(given.reduce((sum, { deliveries = 0 }) => sum + deliveries, 0)).toBe(OLD);
});

test('what comes next in an order is sent in time when what was before it is given up', async () => {
  const { db, ledger } = await startStack();
  const { accountId } = await createTestAccount(db);
  const endpointId = await createTestEndpoint(db, accountId, { ordered: true });
  await addTestEvents(db, accountId, ['task.due', 'task.due']);
  await publishTestEvents(db, createIdleLedger());
  // The first failed, waits for its retry, and the endpoint's job for that: it is 30 days old before.
  const inTenHours = new Date(Date.now() + 36_000_000);
  const first = { endpointId, sequence: 1 };
  await db.webhookDelivery.updateMany({
    where: first,
    data: { createdAt: MONTH_AGO, attempts: 6, nextAttemptAt: inTenHours },
  });
  await db.job.updateMany({ where: { subjectId: endpointId }, data: { runAt: inTenHours } });
  await createCleanEvents({ db, ledger }).run({
    signal: new AbortController().signal,
    log: pino({ level: 'silent' }),
  });
  expect(await db.webhookDelivery.findMany({ orderBy: { sequence: 'asc' } })).toMatchObject([
    { status: 'canceled' },
    { status: 'pending' },
  ]);
  expect((await checkInvariants(db)).flatMap(({ violations }) => violations)).toEqual([]);
});
