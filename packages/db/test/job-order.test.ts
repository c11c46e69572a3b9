import { testDatabase } from '@gatehouse/testing/database';
import { expect, onTestFinished, test } from 'vitest';
import type { Database } from '../src/client.ts';
import { takeDueJobs, takeGroupHeads, takeNextOfGroup } from '../src/due-jobs.ts';
import {
  type DispatchedJob,
  insertJobs,
  type NewJob,
  recordFailure,
  settleJob,
} from '../src/jobs.ts';
import { transaction } from '../src/transaction.ts';
import { newJob } from './new-job.ts';

async function setUp() {
  const { db, drop } = await testDatabase();
  onTestFinished(drop);
  return db;
}

async function add(db: Database, title: string, changes: Partial<NewJob> = {}): Promise<string> {
  const job = newJob({ payload: { title }, ...changes });
  await transaction(db, (tx) => insertJobs(tx, [job]));
  return job.id;
}

const titles = (jobs: readonly DispatchedJob[]) => jobs.map(({ payload }) => payload.title);
const ALL = { after: null, limit: 100 };
const inAnHour = () => new Date(Date.now() + 3_600_000);

async function fail(db: Database, jobId: string, retryInMs: number | null): Promise<void> {
  const { generation } = await db.job.findUniqueOrThrow({ where: { id: jobId } });
  await recordFailure(db, { jobId, generation, error: 'no', isCounted: true, retryInMs });
}

test('what goes first is taken first, however long the others are due', async () => {
  const db = await setUp();
  const longAgo = new Date('2026-01-01T00:00:00Z');
  await add(db, 'last', { priority: 9, runAt: longAgo });
  await add(db, 'second', { priority: 1, runAt: longAgo });
  await add(db, 'first, not due', { runAt: inAnHour() });
  await add(db, 'first');
  const taken: unknown[] = [];
  for (let round = 0; round < 4; round++) taken.push(...titles(await takeDueJobs(db, 'mail', 1)));
  expect(taken).toEqual(['first', 'second', 'last']);
});

test('a delay is counted from now, by the database', async () => {
  const db = await setUp();
  await add(db, 'soon', { delayMs: 60_000 });
  const [row] = await db.$queryRaw<{ ms: number }[]>`
    SELECT (EXTRACT(EPOCH FROM run_at - now()) * 1000)::float8 AS ms FROM job`;
  expect(row?.ms).toBeGreaterThan(50_000);
  expect(row?.ms).toBeLessThanOrEqual(60_000);
  expect(await takeDueJobs(db, 'mail', 10)).toEqual([]);
});

test('no more are taken than asked for, over several priorities', async () => {
  const db = await setUp();
  for (let index = 0; index < 12; index++) await add(db, `${index}`, { priority: index % 4 });
  expect(await takeDueJobs(db, 'mail', 5)).toHaveLength(5);
  expect(await db.job.count({ where: { state: 'dispatched' } })).toBe(5);
});

test('of a group one job is taken at a time, in the order of the inserts, and other groups go on', async () => {
  const db = await setUp();
  const [a1] = [
    await add(db, 'a1', { groupKey: 'a' }),
    await add(db, 'a2', { groupKey: 'a' }),
    await add(db, 'b1', { groupKey: 'b' }),
  ];
  expect(await takeDueJobs(db, 'mail', 10)).toEqual([]);
  expect(titles((await takeGroupHeads(db, 'mail', ALL)).jobs).sort()).toEqual(['a1', 'b1']);
  expect((await takeGroupHeads(db, 'mail', ALL)).jobs).toEqual([]);
  expect(await takeNextOfGroup(db, 'mail', 'a')).toEqual([]);
  await transaction(db, (tx) => settleJob(tx, a1));
  expect(titles(await takeNextOfGroup(db, 'mail', 'a'))).toEqual(['a2']);
});

test('a job that is to be tried again holds up its group, a dead one does not', async () => {
  const db = await setUp();
  const first = await add(db, 'first', { groupKey: 'a' });
  await add(db, 'second', { groupKey: 'a' });
  await takeGroupHeads(db, 'mail', ALL);
  await fail(db, first, 60_000);
  expect((await takeGroupHeads(db, 'mail', ALL)).jobs).toEqual([]);
  await db.job.update({ where: { id: first }, data: { state: 'dispatched' } });
  await fail(db, first, null);
  expect(titles((await takeGroupHeads(db, 'mail', ALL)).jobs)).toEqual(['second']);
});

test('the same key in another queue is another group', async () => {
  const db = await setUp();
  await add(db, 'mail', { groupKey: 'a' });
  await add(db, 'task', { groupKey: 'a', queue: 'tasks' });
  expect(titles((await takeGroupHeads(db, 'mail', ALL)).jobs)).toEqual(['mail']);
  expect(titles((await takeGroupHeads(db, 'tasks', ALL)).jobs)).toEqual(['task']);
});

test('a scan takes groups page by page, and says when it has seen the last', async () => {
  const db = await setUp();
  for (const groupKey of ['a', 'b', 'c']) {
    for (const number of [1, 2]) await add(db, `${groupKey}${number}`, { groupKey });
  }
  const first = await takeGroupHeads(db, 'mail', { after: null, limit: 2 });
  expect([titles(first.jobs).sort(), first.next]).toEqual([['a1', 'b1'], 'b']);
  const second = await takeGroupHeads(db, 'mail', { after: first.next, limit: 2 });
  expect([titles(second.jobs), second.next]).toEqual([['c1'], null]);
});

test('relays that look at once never have two jobs of a group run', async () => {
  const db = await setUp();
  const groups = ['a', 'b', 'c', 'd'];
  for (const groupKey of groups) {
    for (let number = 0; number < 5; number++) await add(db, `${number}`, { groupKey });
  }
  const order = new Map<string, unknown[]>(groups.map((key) => [key, []]));
  while ((await db.job.count()) > 0) {
    const rounds = await Promise.allSettled(
      Array.from({ length: 6 }, () => takeGroupHeads(db, 'mail', ALL)),
    );
    const taken = rounds.flatMap((one) => (one.status === 'fulfilled' ? one.value.jobs : []));
    expect(new Set(taken.map(({ groupKey }) => groupKey)).size).toBe(taken.length);
    for (const { id, groupKey, payload } of taken) {
      order.get(groupKey ?? '')?.push(payload.title);
      await transaction(db, (tx) => settleJob(tx, id));
    }
  }
  for (const titlesOfGroup of order.values())
    expect(titlesOfGroup).toEqual(['0', '1', '2', '3', '4']);
});

test('the database itself refuses a second job of a group that is dispatched', async () => {
  const db = await setUp();
  await add(db, 'first', { groupKey: 'a' });
  await add(db, 'second', { groupKey: 'a' });
  await expect(db.job.updateMany({ data: { state: 'dispatched' } })).rejects.toThrow();
});
