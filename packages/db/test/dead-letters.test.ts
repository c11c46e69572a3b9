import { newId } from '@gatehouse/domain/id';
import { testDatabase } from '@gatehouse/testing/database';
import { addDeadJobs, type DeadJobChanges } from '@gatehouse/testing/dead-jobs';
import { lockWaiter } from '@gatehouse/testing/locks';
import { expect, onTestFinished, test } from 'vitest';
import { countOwedJobs, listJobs, redriveDeadJobs, redriveJob } from '../src/dead-letters.ts';
import { takeDueJobs } from '../src/due-jobs.ts';
import { transaction } from '../src/transaction.ts';

const HOUR_MS = 3_600_000;

async function setUp() {
  const { db, drop } = await testDatabase();
  onTestFinished(drop);
  const later = new Date(Date.now() + HOUR_MS);
  const add = (count: number, changes: DeadJobChanges) =>
    addDeadJobs(db, count, { runAt: later, generation: 7, lastError: 'Error: 451', ...changes });
  return { db, add, later };
}

test('a dead job gets all its attempts anew, under a new generation, and is due at once', async () => {
  const { db, add } = await setUp();
  const [id = ''] = await add(1, {});
  const [neighbour = ''] = await add(1, {});
  const redrive = await transaction(db, (tx) => redriveJob(tx, id));
  expect(redrive?.isRedriven).toBe(true);
  const redriven = { state: 'waiting', attempts: 0, generation: 8, lastError: 'Error: 451' };
  expect(redrive?.job).toMatchObject({ id, ...redriven });
  expect(await db.job.findUnique({ where: { id } })).toEqual(redrive?.job);
  expect(await takeDueJobs(db, 'mail', 10)).toMatchObject([{ id, generation: 8 }]);
  expect(await db.job.findUnique({ where: { id: neighbour } })).toMatchObject({ state: 'dead' });
});

test('a job that waits for a retry does not wait any longer', async () => {
  const { db, add } = await setUp();
  const [id = ''] = await add(1, { state: 'waiting', attempts: 3 });
  expect(await takeDueJobs(db, 'mail', 10)).toEqual([]);
  await transaction(db, (tx) => redriveJob(tx, id));
  expect(await takeDueJobs(db, 'mail', 10)).toMatchObject([{ id, generation: 8 }]);
});

test('what has not failed keeps its time, what is dispatched and what is gone is left alone', async () => {
  const { db, add, later } = await setUp();
  const [delayed = ''] = await add(1, { state: 'waiting', attempts: 0, lastError: null });
  const [dispatched = ''] = await add(1, { state: 'dispatched', attempts: 2 });
  const before = await db.job.findMany({ orderBy: { id: 'asc' } });
  const outcomes = await transaction(db, async (tx) => [
    await redriveJob(tx, delayed),
    await redriveJob(tx, dispatched),
    await redriveJob(tx, newId()),
  ]);
  expect(outcomes.map((outcome) => outcome?.isRedriven)).toEqual([true, false, undefined]);
  expect(await db.job.findMany({ orderBy: { id: 'asc' } })).toEqual(before);
  expect(outcomes[0]?.job.runAt).toEqual(later);
});

test('what was put off without being blamed comes now', async () => {
  const { db, add } = await setUp();
  const [id = ''] = await add(1, { state: 'waiting', attempts: 0, lastError: 'NotYet: away' });
  await transaction(db, (tx) => redriveJob(tx, id));
  expect(await takeDueJobs(db, 'mail', 10)).toMatchObject([{ id, generation: 8 }]);
});

test('twenty redrives of one job at once are one', async () => {
  const { db, add } = await setUp();
  const [id = ''] = await add(1, {});
  const redrive = (count: number) =>
    Array.from({ length: count }, () => transaction(db, (tx) => redriveJob(tx, id)));
  const { waiting } = await transaction(db, async (tx) => {
    await redriveJob(tx, id);
    // As many as leave a connection to look at them by.
    const others = redrive(8);
    await lockWaiter(db);
    return { waiting: others };
  });
  const outcomes = await Promise.all([...waiting, ...redrive(11)]);
  expect(new Set(outcomes.map((outcome) => outcome?.isRedriven))).toEqual(new Set([true]));
  expect(await db.job.findUnique({ where: { id } })).toMatchObject({ generation: 8, attempts: 0 });
});

test('all dead jobs of a queue and a name are redriven, over several batches, and no other', async () => {
  const { db, add } = await setUp();
  await add(2_500, {});
  await add(3, { name: 'other' });
  await add(2, { queue: 'trades' });
  await add(1, { state: 'waiting' });
  await add(1, { state: 'dispatched' });
  // Two at once share them.
  const shares = await Promise.all(
    [1, 2].map(() => redriveDeadJobs(db, { queue: 'mail', name: 'send-email' })),
  );
  expect(shares.reduce((sum, share) => sum + share)).toBe(2_500);
  const untouched = { generation: 7, attempts: 110 };
  const counts = async (where: object) => db.job.count({ where });
  expect(await counts({ state: 'waiting', attempts: 0, generation: 8 })).toBe(2_500);
  expect(await counts({ ...untouched, state: 'dead' })).toBe(5);
  expect(await counts({ ...untouched, state: { not: 'dead' } })).toBe(2);

  // Oldest first: the trades came last.
  expect(await redriveDeadJobs(db, {}, 4)).toBe(4);
  expect(await counts({ queue: 'mail', state: 'dead' })).toBe(0);
  expect(await redriveDeadJobs(db, { queue: 'mail' })).toBe(0);
  expect(await redriveDeadJobs(db, {})).toBe(1);
});

test('what is owed is listed newest first, page by page, and counted', async () => {
  const { db, add } = await setUp();
  const first = await add(3, {});
  const trades = await add(2, { queue: 'trades', name: 'execute-trade' });
  const waiting = await add(2, { state: 'waiting' });
  const ids = async (filter: object, page: { limit: number; cursor?: string }) => {
    const { data, ...rest } = await listJobs(db, filter, page);
    return { ids: data.map(({ id }) => id), ...rest };
  };
  const newest = [...first, ...trades, ...waiting].reverse();
  const page = await ids({}, { limit: 4 });
  expect(page).toEqual({ ids: newest.slice(0, 4), hasMore: true, nextCursor: newest[3] });
  await add(1, {});
  expect(await ids({}, { limit: 4, cursor: newest[3] ?? '' })).toEqual({
    ids: newest.slice(4),
    hasMore: false,
    nextCursor: null,
  });
  expect((await ids({ state: 'waiting' }, { limit: 9 })).ids).toEqual([...waiting].reverse());
  expect((await ids({ queue: 'trades' }, { limit: 9 })).ids).toEqual([...trades].reverse());
  expect((await ids({ state: 'waiting', queue: 'trades' }, { limit: 9 })).ids).toEqual([]);

  await db.job.updateMany({
    where: { id: first[0] ?? '' },
    data: { createdAt: new Date(Date.now() - HOUR_MS) },
  });
  const owed = await countOwedJobs(db);
  expect(owed.map(({ queue, name, state, count }) => [queue, name, state, count])).toEqual([
    ['mail', 'send-email', 'waiting', 2],
    ['mail', 'send-email', 'dead', 4],
    ['trades', 'execute-trade', 'dead', 2],
  ]);
  expect(owed[1]?.oldestSeconds).toBeGreaterThanOrEqual(3_600);
  expect(owed[0]?.oldestSeconds).toBeLessThan(600);
});
