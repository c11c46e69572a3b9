import { testDatabase } from '@gatehouse/testing/database';
import { expect, onTestFinished, test } from 'vitest';
import { takeDueJobs } from '../src/due-jobs.ts';
import { insertJobs, recordFailure, settleJob } from '../src/jobs.ts';
import { afterCommit, transaction } from '../src/transaction.ts';
import { newJob } from './new-job.ts';

async function setUp() {
  const { db, drop } = await testDatabase();
  onTestFinished(drop);
  return db;
}

test('of ten that settle a job at once one applies its effect', async () => {
  const db = await setUp();
  const owed = newJob();
  await transaction(db, (tx) => insertJobs(tx, [owed]));
  const settled = await Promise.all(
    Array.from({ length: 10 }, () => transaction(db, (tx) => settleJob(tx, owed.id))),
  );
  expect(settled.filter(Boolean)).toHaveLength(1);
  expect(await db.job.count()).toBe(0);
});

test('a settlement that is rolled back leaves the debt', async () => {
  const db = await setUp();
  const owed = newJob();
  await transaction(db, (tx) => insertJobs(tx, [owed]));
  const failing = transaction(db, async (tx) => {
    await settleJob(tx, owed.id);
    throw new Error('the effect failed');
  });
  await expect(failing).rejects.toThrow('the effect failed');
  expect(await db.job.count()).toBe(1);
});

test('five relays share what is due: each job goes to one of them, later ones to none', async () => {
  const db = await setUp();
  const due = Array.from({ length: 50 }, () => newJob());
  const later = newJob({ runAt: new Date(Date.now() + 60_000) });
  const elsewhere = newJob({ queue: 'trades' });
  await transaction(db, (tx) => insertJobs(tx, [...due, later, elsewhere]));
  const taken = (
    await Promise.all(Array.from({ length: 5 }, () => takeDueJobs(db, 'mail', 20)))
  ).flat();
  const rest = await takeDueJobs(db, 'mail', 100);
  expect([...taken, ...rest].map(({ id }) => id).sort()).toEqual(due.map(({ id }) => id).sort());
  expect(await takeDueJobs(db, 'mail', 100)).toEqual([]);
});

test('a failure is counted once, for the dispatch that it happened to', async () => {
  const db = await setUp();
  const owed = newJob({ state: 'dispatched' });
  await transaction(db, (tx) => insertJobs(tx, [owed]));
  const failure = {
    jobId: owed.id,
    generation: 0,
    error: 'boom',
    isCounted: true,
    retryInMs: 60_000,
  };
  await Promise.all([recordFailure(db, failure), recordFailure(db, failure)]);
  const [row] = await db.job.findMany();
  expect(row).toMatchObject({ attempts: 1, generation: 1, state: 'waiting', lastError: 'boom' });
  expect(row?.runAt.getTime()).toBeGreaterThan(Date.now() + 50_000);
  await db.job.updateMany({ data: { state: 'dispatched' } });
  await recordFailure(db, { ...failure, generation: 1, retryInMs: null });
  expect(await db.job.findMany()).toMatchObject([{ attempts: 2, state: 'dead' }]);
});

test('what is to happen after the commit happens after it, and only then', async () => {
  const db = await setUp();
  const seen: number[] = [];
  await transaction(db, async (tx) => {
    await insertJobs(tx, [newJob()]);
    afterCommit(tx, () => seen.push(1));
    expect(seen).toEqual([]);
  });
  expect(seen).toEqual([1]);
  const failing = transaction(db, async (tx) => {
    afterCommit(tx, () => seen.push(2));
    throw new Error('no');
  });
  await expect(failing).rejects.toThrow('no');
  expect(seen).toEqual([1]);
  await db.$transaction(async (tx) => {
    expect(() => afterCommit(tx, () => undefined)).toThrow('transaction()');
  });
});
