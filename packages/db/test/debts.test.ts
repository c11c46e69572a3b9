import { newId } from '@gatehouse/domain/id';
import { testDatabase } from '@gatehouse/testing/database';
import { expect, onTestFinished, test } from 'vitest';
import type { Database } from '../src/client.ts';
import { bringForward, isOwed } from '../src/debts.ts';
import { insertJobs } from '../src/jobs.ts';
import { acceptance } from './trading.ts';

const LATER = new Date(Date.now() + 60_000);

async function emptyDatabase(): Promise<Database> {
  const { db, drop } = await testDatabase();
  onTestFinished(drop);
  return db;
}

interface Debt {
  name: string;
  subjectId: string;
  state?: 'waiting' | 'dispatched';
}

async function owe(db: Database, { state = 'waiting', ...debt }: Debt): Promise<string> {
  const job = { ...acceptance(newId()).job, ...debt, state, runAt: LATER };
  await db.$transaction((tx) => insertJobs(tx, [job]));
  return job.id;
}

test('what is owed is told apart by its name and by what it is about', async () => {
  const db = await emptyDatabase();
  const [subject, other] = [newId(), newId()];
  await owe(db, { name: 'look', subjectId: subject });
  const asked = await db.$transaction(async (tx) => [
    await isOwed(tx, 'look', subject),
    await isOwed(tx, 'look', other),
    await isOwed(tx, 'other', subject),
  ]);
  expect(asked).toEqual([true, false, false]);
});

test('what waits is brought forward; what is dispatched, dead or about something else stays', async () => {
  const db = await emptyDatabase();
  const [subject, other] = [newId(), newId()];
  const waiting = await owe(db, { name: 'look', subjectId: subject });
  await owe(db, { name: 'look', subjectId: subject, state: 'dispatched' });
  const dead = await owe(db, { name: 'look', subjectId: subject });
  await db.job.update({ where: { id: dead }, data: { state: 'dead' } });
  await owe(db, { name: 'look', subjectId: other });
  await owe(db, { name: 'other', subjectId: subject });

  await db.$transaction((tx) => bringForward(tx, 'look', subject));
  const moved = await db.job.findMany({ where: { runAt: { not: LATER } } });
  expect(moved.map(({ id }) => id)).toEqual([waiting]);
  expect(moved[0]?.runAt.getTime()).toBeLessThan(LATER.getTime());
});
