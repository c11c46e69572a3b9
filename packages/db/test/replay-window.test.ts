import { randomBytes } from 'node:crypto';
import { testDatabase } from '@gatehouse/testing/database';
import { createTestAccount } from '@gatehouse/testing/fixtures';
import { createIdleLedger } from '@gatehouse/testing/idle-ledger';
import { addTestEvents, publishTestEvents } from '@gatehouse/testing/webhooks';
import { expect, onTestFinished, test } from 'vitest';
import type { Queryable } from '../src/client.ts';
import { transaction } from '../src/transaction.ts';
import { measureWindow } from '../src/webhook-replays.ts';

const HOUR = 3_600_000;
const hoursAgo = (hours: number) => new Date(Date.now() - hours * HOUR);

/** An account with an event in each of the last hours, among those of another, and the end of time of none. */
async function setUp(hours: number) {
  const { db, drop } = await testDatabase();
  onTestFinished(drop);
  const { accountId } = await createTestAccount(db);
  const { accountId: other } = await createTestAccount(db);
  for (let hour = hours; hour > 0; hour -= 1) {
    await addTestEvents(db, accountId, ['task.due'], { at: hoursAgo(hour) });
    await addTestEvents(db, other, ['task.due'], { at: hoursAgo(hour) });
  }
  await publishTestEvents(db, createIdleLedger());
  return { db, accountId };
}

test('a window is measured by its places in the log, also in one whose beginning is gone', async () => {
  const { db, accountId } = await setUp(40);
  const total = async (since: number, until: number | null) => {
    const window = { since: hoursAgo(since), until: until === null ? null : hoursAgo(until) };
    return (await measureWindow(db, { accountId, ...window })).total;
  };
  for (let round = 0; round < 2; round += 1) {
    expect(await total(10.5, null)).toBe(10);
    expect(await total(10.5, 0)).toBe(10);
    expect(await total(10.5, 4.5)).toBe(6);
    expect(await total(0.5, null)).toBe(0);
    expect(await total(41, 40.5)).toBe(0);
    expect(await total(50, null)).toBe(round === 0 ? 40 : 30);
    await db.event.deleteMany({ where: { seq: { lte: 20 } } });
  }
  await db.event.deleteMany();
  expect(await total(50, null)).toBe(0);
});

test('a replay begins before all of its window, and after what is far from it', async () => {
  const { db, accountId } = await setUp(40);
  const window = { accountId, since: hoursAgo(10.5), until: null };
  const { position, upTo } = await measureWindow(db, window);
  expect(upTo).toBe(80n);
  expect(position).toBeLessThan(61n);
  expect(position).toBeGreaterThan(50n);
});

test('a window goes no further back than events are kept', async () => {
  const { db, accountId } = await setUp(1);
  await db.event.updateMany({ where: { seq: 1 }, data: { createdAt: hoursAgo(30 * 24 + 1) } });
  const { total } = await measureWindow(db, { accountId, since: new Date(0), until: null });
  expect(total).toBe(0);
});

/** Rows of events that this connection has read lately. */
async function rowsRead(tx: Queryable): Promise<number> {
  const [rows] = await tx.$queryRaw<{ count: number }[]>`
    SELECT (seq_tup_read + idx_tup_fetch)::int AS count FROM pg_stat_xact_user_tables WHERE relname = 'event'`;
  return rows?.count ?? 0;
}

test('to measure a window reads next to nothing that is not of it, also when it begins before all there is', async () => {
  const { db, accountId } = await setUp(1);
  const many = Array<'task.due'>(2_000).fill('task.due');
  const data = { noise: randomBytes(750).toString('hex') };
  await addTestEvents(db, accountId, many, { at: hoursAgo(0.5), data });
  await publishTestEvents(db, createIdleLedger());
  await db.$executeRaw`ANALYZE event`;
  await transaction(db, async (tx) => {
    const before = await rowsRead(tx);
    const window = { accountId, since: new Date(0), until: hoursAgo(0.75) };
    expect(await measureWindow(tx, window)).toMatchObject({ total: 1 });
    expect((await rowsRead(tx)) - before).toBeLessThan(200);
  });
});
