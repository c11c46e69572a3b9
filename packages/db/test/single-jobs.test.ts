import { newId } from '@gatehouse/domain/id';
import { testDatabase } from '@gatehouse/testing/database';
import { lockWaiter } from '@gatehouse/testing/locks';
import { expect, onTestFinished, test } from 'vitest';
import type { Database } from '../src/client.ts';
import { redriveDeadJobs } from '../src/dead-letters.ts';
import {
  insertJobs,
  type NewJob,
  redispatchJobs,
  returnJobs,
  settleJob,
  settleJobs,
} from '../src/jobs.ts';
import { insertSingleJobs } from '../src/single-jobs.ts';
import { newJob } from './new-job.ts';

async function setUp(): Promise<Database> {
  const { db, drop } = await testDatabase();
  onTestFinished(drop);
  return db;
}

const insert = (db: Database, ...jobs: NewJob[]) =>
  db.$transaction((tx) => insertSingleJobs(tx, jobs));

const HOUR = 3_600_000;
const inHours = (hours: number) => new Date(Date.now() + hours * HOUR);

/** A job about `subjectId` of the one name of these tests. */
const about = (subjectId: string, changes: Partial<NewJob> = {}) =>
  newJob({ name: 'deliver-webhooks', queue: 'webhooks', subjectId, ...changes });

test('one that is dispatched is inserted and returned, one that waits is inserted', async () => {
  const db = await setUp();
  const given = about(newId(), { state: 'dispatched', requestId: 'r', payload: { a: 'b' } });
  const later = about(newId(), { runAt: inHours(1) });
  const { id, queue, name, payload, priority, groupKey, requestId } = given;
  expect(await insert(db, given, later)).toMatchObject([
    { id, queue, name, payload, priority, groupKey, requestId, generation: 0 },
  ]);
  const rows = await db.job.findMany({ orderBy: { runAt: 'asc' } });
  expect(rows.map((row) => [row.id, row.state, row.isSingle])).toEqual([
    [given.id, 'dispatched', true],
    [later.id, 'waiting', true],
  ]);
  expect(rows[1]?.runAt).toEqual(later.runAt);
});

test('the rest of the table does not get in the way: other names, and jobs that are not single', async () => {
  const db = await setUp();
  const subjectId = newId();
  await db.$transaction((tx) => insertJobs(tx, [about(subjectId), about(subjectId)]));
  await insert(db, about(subjectId, { name: 'replay-webhooks' }));
  await insert(db, about(subjectId));
  await insert(db, about(subjectId));
  expect(await db.job.count()).toBe(4);
  expect(await db.job.count({ where: { isSingle: true } })).toBe(2);
});

test('one that waits comes no later than the new one would have, and no sooner than it has to', async () => {
  const db = await setUp();
  const subjectId = newId();
  const [soon, late] = [inHours(1), inHours(2)];
  const first = about(subjectId, { runAt: late });
  await insert(db, first);
  expect(await insert(db, about(subjectId, { runAt: soon }))).toEqual([]);
  expect(await insert(db, about(subjectId, { runAt: late }))).toEqual([]);
  expect(await db.job.findMany()).toMatchObject([
    { id: first.id, state: 'waiting', runAt: soon, generation: 0 },
  ]);
});

test('one that waits is dispatched in place of a new one, once', async () => {
  const db = await setUp();
  const subjectId = newId();
  const first = about(subjectId, { runAt: inHours(1) });
  await insert(db, first);
  const now = () => about(subjectId, { state: 'dispatched' });
  expect(await insert(db, now())).toMatchObject([{ id: first.id, generation: 1 }]);
  expect(await insert(db, now())).toEqual([]);
  const [row] = await db.job.findMany();
  expect(row).toMatchObject({ id: first.id, state: 'dispatched', generation: 1 });
  expect(row?.runAt.getTime()).toBeLessThan(Date.now() + HOUR / 2);
});

test('of many that ask at once one dispatches it', async () => {
  const db = await setUp();
  const subjectId = newId();
  const first = about(subjectId, { runAt: inHours(1) });
  await insert(db, first);
  const answers = await Promise.all(
    Array.from({ length: 20 }, () => insert(db, about(subjectId, { state: 'dispatched' }))),
  );
  expect(answers.flat()).toMatchObject([{ id: first.id, generation: 1 }]);
  expect(await db.job.count()).toBe(1);
});

test('of two that wait for each other the later does not take it for its own', async () => {
  const db = await setUp();
  const subjectId = newId();
  const first = about(subjectId, { runAt: inHours(1) });
  await insert(db, first);
  const { asking } = await db.$transaction(async (tx) => {
    await tx.$executeRaw`SELECT 1 FROM job FOR UPDATE`;
    const asking = [1, 2].map(() => insert(db, about(subjectId, { state: 'dispatched' })));
    await lockWaiter(db, 2);
    return { asking };
  });
  expect((await Promise.all(asking)).flat()).toMatchObject([{ id: first.id, generation: 1 }]);
});

test.each([
  ['waits after a failure', { state: 'waiting', attempts: 1, lastError: 'no' }],
  ['is dead', { state: 'dead', attempts: 3, lastError: 'no' }],
  ['was put off', { state: 'waiting', lastError: 'not yet' }],
  ['is dispatched', { state: 'dispatched', generation: 2, dispatchedAt: inHours(-1) }],
] as const)('one that %s is left as it is, and not returned', async (_, data) => {
  const db = await setUp();
  const subjectId = newId();
  const first = about(subjectId, { runAt: inHours(1) });
  await insert(db, first);
  const before = await db.job.update({ where: { id: first.id }, data });
  expect(await insert(db, about(subjectId, { state: 'dispatched' }))).toEqual([]);
  expect(await insert(db, about(subjectId, { runAt: inHours(-1) }))).toEqual([]);
  expect(await db.job.findMany()).toEqual([before]);
});

test.each([
  ['waits after a failure', { state: 'waiting', attempts: 1, lastError: 'no' }, 0],
  ['is dead', { state: 'dead', attempts: 3, lastError: 'no' }, 1],
  ['was put off', { state: 'waiting', lastError: 'not yet' }, 0],
] as const)('one that %s begins anew when it is revived', async (_, data, generation) => {
  const db = await setUp();
  const revive = (job: NewJob) =>
    db.$transaction((tx) => insertSingleJobs(tx, [job], { revives: true }));
  const [kept, handed] = [about(newId()), about(newId())];
  await insert(db, kept, handed);
  await db.job.updateMany({ data: { ...data, runAt: inHours(1) } });
  expect(await revive(about(kept.subjectId))).toEqual([]);
  const anew = about(handed.subjectId, { state: 'dispatched' });
  expect(await revive(anew)).toMatchObject([{ id: handed.id, generation: 1 }]);
  const rows = await db.job.findMany({ orderBy: { id: 'asc' } });
  expect(rows.map(({ id, state, attempts }) => [id, state, attempts])).toEqual(
    [
      [kept.id, 'waiting', 0],
      [handed.id, 'dispatched', 0],
    ].sort(),
  );
  expect(rows.find(({ id }) => id === kept.id)?.generation).toBe(generation);
  for (const { runAt } of rows) expect(runAt.getTime()).toBeLessThan(Date.now() + HOUR / 2);
});

test('a revival leaves one that is dispatched to its run, and inserts one where there is none', async () => {
  const db = await setUp();
  const given = about(newId(), { state: 'dispatched' });
  const revive = () => db.$transaction((tx) => insertSingleJobs(tx, [given], { revives: true }));
  expect(await revive()).toMatchObject([{ id: given.id, generation: 0 }]);
  expect(await revive()).toEqual([]);
  expect(await db.job.findMany()).toMatchObject([{ state: 'dispatched', generation: 0 }]);
});

test('whoever locks many of them does so in one order, whatever the order of their ids', async () => {
  const db = await setUp();
  const ids = Array.from({ length: 60 }, () => newId());
  const subjects = Array.from({ length: 60 }, () => newId()).reverse();
  const jobs = ids.map((id, index) => about(subjects[index] ?? '', { id, state: 'dispatched' }));
  await insert(db, ...jobs);
  const dispatches = jobs.map(({ id }) => ({ id, generation: 0 }));
  for (let round = 0; round < 15; round++) {
    await db.job.updateMany({ data: { state: 'dispatched', generation: 0 } });
    const all = jobs.map((job) => ({ ...job, id: newId() }));
    await Promise.all([
      insert(db, ...all),
      redispatchJobs(db, dispatches),
      insert(db, ...all),
      returnJobs(db, dispatches),
      round === 14 ? db.$transaction((tx) => settleJobs(tx, ids)) : redriveDeadJobs(db, {}),
    ]);
  }
  expect(await db.job.count({ where: { id: { in: ids } } })).toBe(0);
});

test('a settling run that is first leaves room for a new one', async () => {
  const db = await setUp();
  const subjectId = newId();
  const first = about(subjectId, { state: 'dispatched' });
  await insert(db, first);
  const next = about(subjectId, { state: 'dispatched' });
  const { inserting } = await db.$transaction(async (tx) => {
    await settleJob(tx, first.id);
    const inserting = insert(db, next);
    await lockWaiter(db);
    return { inserting };
  });
  expect(await inserting).toMatchObject([{ id: next.id, generation: 0 }]);
  expect(await db.job.findMany()).toMatchObject([{ id: next.id, state: 'dispatched' }]);
});

test('a settling run that comes second waits, and sees what was written with it', async () => {
  const db = await setUp();
  const subjectId = newId();
  const first = about(subjectId, { state: 'dispatched' });
  await insert(db, first);
  const { settling } = await db.$transaction(async (tx) => {
    await insertSingleJobs(tx, [about(subjectId, { state: 'dispatched' })]);
    const settling = db.$transaction(async (other) => {
      const isOwed = await settleJob(other, first.id);
      return [isOwed, await other.queuePause.count()];
    });
    await lockWaiter(db);
    await tx.queuePause.create({ data: { queue: 'what the job is for' } });
    return { settling };
  });
  expect(await settling).toEqual([true, 1]);
  expect(await db.job.count()).toBe(0);
});

test('a run that settles with the next job of its own gives it to whoever asks for another', async () => {
  const db = await setUp();
  const subjectId = newId();
  const first = about(subjectId, { state: 'dispatched' });
  await insert(db, first);
  const next = about(subjectId, { runAt: inHours(1) });
  const { asking } = await db.$transaction(async (tx) => {
    await settleJob(tx, first.id);
    await insertSingleJobs(tx, [next]);
    const asking = insert(db, about(subjectId, { state: 'dispatched' }));
    await lockWaiter(db);
    return { asking };
  });
  expect(await asking).toMatchObject([{ id: next.id, generation: 1 }]);
  expect(await db.job.count()).toBe(1);
});
