import type { Database } from '@gatehouse/db/client';
import { checkInvariants } from '@gatehouse/db/invariants';
import { transaction } from '@gatehouse/db/transaction';
import { cancelDeliveries } from '@gatehouse/db/webhook-deliveries';
import { openReplayStep, takeReplayStep } from '@gatehouse/db/webhook-replay-steps';
import { beginReplay, findReplay, measureWindow } from '@gatehouse/db/webhook-replays';
import { newId } from '@gatehouse/domain/id';
import { replayWebhooks } from '@gatehouse/jobs/definitions/replay-webhooks';
import { testDatabase } from '@gatehouse/testing/database';
import { createTestAccount } from '@gatehouse/testing/fixtures';
import { createIdleLedger } from '@gatehouse/testing/idle-ledger';
import { addTestEvents, createTestEndpoint, publishTestEvents } from '@gatehouse/testing/webhooks';
import { pino } from 'pino';
import { expect, onTestFinished, test } from 'vitest';
import { createReplayWebhooks } from '../src/processors/replay-webhooks.ts';
import { settleAlone } from '../src/settlement.ts';

const ledger = createIdleLedger();
const HOUR = 3_600_000;

async function setUp() {
  const { db, drop } = await testDatabase();
  onTestFinished(drop);
  const { accountId } = await createTestAccount(db);
  return { db, accountId };
}

interface Wish {
  since?: Date;
  until?: Date | null;
  onlyFailed?: boolean;
}

/** The id of a replay of everything, unless told otherwise, that is owed its job. */
async function begin(db: Database, accountId: string, endpointId: string, wish: Wish = {}) {
  const id = newId();
  await transaction(db, async (tx) => {
    const window = { since: new Date(0), until: new Date(Date.now() + HOUR), ...wish };
    await ledger.enqueue(tx, replayWebhooks, { replayId: id }, { requestId: 'r' });
    const replay = { onlyFailed: false, ...window, id, accountId, endpointId, requestId: 'r' };
    await beginReplay(tx, replay, await measureWindow(tx, replay));
  });
  return id;
}

/** Runs the job of a replay once, as a worker does. */
async function run(
  db: Database,
  replayId: string,
  closing = new AbortController().signal,
): Promise<void> {
  const { id: jobId } = await db.job.findFirstOrThrow({ where: { subjectId: replayId } });
  await createReplayWebhooks({ db, ledger, closing }).run(
    { replayId },
    {
      ...{ jobId, requestId: 'r', isOwed: async () => true, log: pino({ level: 'silent' }) },
      signal: new AbortController().signal,
      settle: (effect) => settleAlone(db, jobId, effect),
      settleTogether: () => Promise.reject(new Error('it settles alone')),
    },
  );
}

async function broken(db: Database): Promise<string[]> {
  return (await checkInvariants(db)).flatMap(({ violations }) => violations);
}

/** What an endpoint has, in its order: `<seq> <status>`. */
async function deliveries(db: Database, endpointId: string): Promise<string[]> {
  const rows = await db.webhookDelivery.findMany({
    where: { endpointId },
    orderBy: { sequence: 'asc' },
    include: { event: true },
  });
  return rows.map(({ event, status }) => `${event.seq} ${status}`);
}

/** As if all that is pending had ended so. */
async function end(db: Database, status: 'succeeded' | 'failed', sequences?: readonly number[]) {
  const where = {
    status: 'pending',
    ...(sequences && { sequence: { in: [...sequences] } }),
  } as const;
  const ended = await db.webhookDelivery.findMany({ where });
  const error = status === 'failed' ? 'timed out' : null;
  await db.webhookAttempt.createMany({
    data: ended.map(({ id: deliveryId }) => ({
      ...{ id: newId(), deliveryId, at: new Date(), durationMs: 1, error },
    })),
  });
  const data = { status, nextAttemptAt: null, endedAt: new Date(), attempts: 10 };
  await db.webhookDelivery.updateMany({ where, data });
}

test('an endpoint that came later is sent the window, in order, and nothing else', async () => {
  const { db, accountId } = await setUp();
  const before = new Date(Date.now() - 3 * HOUR);
  await addTestEvents(db, accountId, ['order.filled', 'order.filled'], { at: before });
  await addTestEvents(db, accountId, ['order.accepted', 'task.due', 'order.filled']);
  const { accountId: other } = await createTestAccount(db);
  await addTestEvents(db, other, ['order.filled']);
  const earlier = await createTestEndpoint(db, accountId, { eventTypes: ['task.due'] });
  await addTestEvents(db, accountId, ['webhook_endpoint.test'], { onlyEndpointId: earlier });
  await publishTestEvents(db, ledger);
  const endpointId = await createTestEndpoint(db, accountId, {
    eventTypes: ['order.*', 'webhook_endpoint.*'],
  });
  await addTestEvents(db, accountId, ['order.expired']);
  await publishTestEvents(db, ledger);
  expect(await deliveries(db, endpointId)).toEqual(['8 pending']);
  await db.job.deleteMany({ where: { name: 'deliver-webhooks', subjectId: endpointId } });
  await end(db, 'succeeded');

  const until = new Date(Date.now() + HOUR);
  const id = await begin(db, accountId, endpointId, { since: new Date(Date.now() - HOUR), until });
  expect(await findReplay(db, accountId, id)).toMatchObject({
    total: 5,
    examined: 0,
    scheduled: 0,
  });
  await run(db, id);
  expect(await deliveries(db, endpointId)).toEqual(['8 pending', '3 pending', '5 pending']);
  expect(await db.job.count({ where: { subjectId: id } })).toBe(0);
  expect(await db.job.count({ where: { subjectId: endpointId } })).toBe(1);
  expect(await findReplay(db, accountId, id)).toMatchObject({
    ...{ status: 'succeeded', total: 5, examined: 5, scheduled: 3, pending: 3, delivered: 0 },
    endedAt: expect.any(Date),
  });
  await end(db, 'succeeded', [1, 2]);
  await end(db, 'failed', [3]);
  const counts = { pending: 0, delivered: 2, failed: 1 };
  expect(await findReplay(db, accountId, id)).toMatchObject(counts);
  expect(await broken(db)).toEqual([]);
});

test('what had ended begins anew in its place, what is pending is left alone, attempts stay', async () => {
  const { db, accountId } = await setUp();
  const endpointId = await createTestEndpoint(db, accountId);
  await addTestEvents(db, accountId, ['task.due', 'task.due', 'task.due', 'task.due']);
  await publishTestEvents(db, ledger);
  await end(db, 'succeeded', [1]);
  await end(db, 'failed', [2]);
  await db.webhookDelivery.updateMany({
    where: { sequence: 3 },
    data: { attempts: 4, nextAttemptAt: new Date(Date.now() + HOUR) },
  });
  const [kept] = await db.webhookDelivery.findMany({ where: { sequence: 3 } });
  const [first] = await db.webhookDelivery.findMany({ where: { sequence: 1 } });
  const id = await begin(db, accountId, endpointId);
  await run(db, id);
  const rows = await db.webhookDelivery.findMany({ orderBy: { sequence: 'asc' } });
  expect(rows.map((row) => [row.status, row.attempts, row.replayId])).toEqual([
    ['pending', 0, id],
    ['pending', 0, id],
    ['pending', 4, null],
    ['pending', 0, null],
  ]);
  expect(rows[0]?.id).toBe(first?.id);
  expect(rows[2]).toEqual(kept);
  expect(await db.webhookAttempt.count()).toBe(2);
  expect(await findReplay(db, accountId, id)).toMatchObject({ examined: 4, scheduled: 2 });
  expect(await broken(db)).toEqual([]);
});

test('only what failed: not what arrived, and not what was never owed', async () => {
  const { db, accountId } = await setUp();
  await addTestEvents(db, accountId, ['task.due']);
  await publishTestEvents(db, ledger);
  const endpointId = await createTestEndpoint(db, accountId);
  await addTestEvents(db, accountId, ['task.due', 'task.due', 'task.due']);
  await publishTestEvents(db, ledger);
  await end(db, 'succeeded', [1]);
  await end(db, 'failed', [2]);
  await transaction(db, (tx) => cancelDeliveries(tx, endpointId, 1_000));
  const id = await begin(db, accountId, endpointId, { onlyFailed: true });
  await run(db, id);
  expect(await deliveries(db, endpointId)).toEqual(['2 succeeded', '3 pending', '4 pending']);
  expect(await findReplay(db, accountId, id)).toMatchObject({ examined: 4, scheduled: 2 });
});

const MANY = 1_300;

/** An account with so many events, and an endpoint that came later. */
async function withMany(db: Database, accountId: string): Promise<string> {
  await addTestEvents(db, accountId, Array<'task.due'>(MANY).fill('task.due'));
  await publishTestEvents(db, ledger);
  return createTestEndpoint(db, accountId);
}

const everyEvent = (status: string) =>
  Array.from({ length: MANY }, (_, index) => `${index + 1} ${status}`);

test('no more than 500 wait at a time: the endpoint sets the pace', async () => {
  const { db, accountId } = await setUp();
  const endpointId = await withMany(db, accountId);
  const id = await begin(db, accountId, endpointId);
  const progress = [
    { status: 'running', scheduled: 500, pending: 500 },
    { status: 'running', scheduled: 1_000, pending: 500 },
    { status: 'succeeded', scheduled: MANY, pending: 300 },
  ];
  for (const expected of progress) {
    await run(db, id);
    const { scheduled: examined } = expected;
    expect(await findReplay(db, accountId, id)).toMatchObject({ ...expected, examined });
    expect(await broken(db)).toEqual([]);
    await end(db, 'succeeded');
  }
  expect(await db.job.count({ where: { subjectId: id } })).toBe(0);
  expect(await deliveries(db, endpointId)).toEqual(everyEvent('succeeded'));
});

test('a run that dies in the middle of a step, and two runs at once, leave nothing out and schedule nothing twice', async () => {
  const { db, accountId } = await setUp();
  const endpointId = await withMany(db, accountId);
  const id = await begin(db, accountId, endpointId);
  const dying = transaction(db, async (tx) => {
    const opened = await openReplayStep(tx, id);
    if ('none' in opened) throw new Error(opened.none);
    await takeReplayStep(tx, opened.step);
    throw new Error('killed');
  });
  await expect(dying).rejects.toThrow('killed');
  expect(await deliveries(db, endpointId)).toEqual([]);
  // Redis forgot that the first was under way.
  while (await db.job.findFirst({ where: { subjectId: id } })) {
    await Promise.all([run(db, id), run(db, id)]);
    await end(db, 'succeeded');
  }
  expect(await deliveries(db, endpointId)).toEqual(everyEvent('succeeded'));
  expect(await findReplay(db, accountId, id)).toMatchObject({
    ...{ status: 'succeeded', total: MANY, examined: MANY, scheduled: MANY, delivered: MANY },
  });
  expect(await broken(db)).toEqual([]);
});

test('a replay waits while its endpoint is disabled, and is canceled when that is deleted', async () => {
  const { db, accountId } = await setUp();
  await addTestEvents(db, accountId, ['task.due']);
  await publishTestEvents(db, ledger);
  const endpointId = await createTestEndpoint(db, accountId);
  const id = await begin(db, accountId, endpointId);
  const change = (data: object) => db.webhookEndpoint.update({ where: { id: endpointId }, data });
  await change({ disabledReason: 'owner', disabledAt: new Date() });
  await run(db, id);
  const [job] = await db.job.findMany({ where: { subjectId: id } });
  expect(job?.runAt.getTime()).toBeGreaterThan(Date.now() + 30_000);
  expect(job?.runAt.getTime()).toBeLessThan(Date.now() + 90_000);
  expect(await deliveries(db, endpointId)).toEqual([]);
  await change({ deletedAt: new Date() });
  await run(db, id);
  expect(await findReplay(db, accountId, id)).toMatchObject({ status: 'canceled', scheduled: 0 });
  expect(await db.job.count({ where: { subjectId: id } })).toBe(0);
  expect(await deliveries(db, endpointId)).toEqual([]);
});

test('the job of a paused endpoint is not brought forward by a replay', async () => {
  const { db, accountId } = await setUp();
  await addTestEvents(db, accountId, ['task.due']);
  await publishTestEvents(db, ledger);
  const endpointId = await createTestEndpoint(db, accountId);
  const pausedUntil = new Date(Date.now() + HOUR);
  await db.webhookEndpoint.update({ where: { id: endpointId }, data: { pausedUntil } });
  await run(db, await begin(db, accountId, endpointId));
  const [job] = await db.job.findMany({ where: { subjectId: endpointId } });
  expect(job?.runAt).toEqual(pausedUntil);
  expect(await broken(db)).toEqual([]);
});

test('a worker that is to end leaves a replay to the next', async () => {
  const { db, accountId } = await setUp();
  await addTestEvents(db, accountId, ['task.due']);
  await publishTestEvents(db, ledger);
  const endpointId = await createTestEndpoint(db, accountId);
  const id = await begin(db, accountId, endpointId);
  await run(db, id, AbortSignal.abort());
  expect(await deliveries(db, endpointId)).toEqual([]);
  const [job] = await db.job.findMany({ where: { subjectId: id } });
  expect(job?.runAt.getTime()).toBeLessThanOrEqual(Date.now() + 1_000);
  await run(db, id);
  expect(await deliveries(db, endpointId)).toEqual(['1 pending']);
});

/** Milliseconds until the job of a replay after a run of it. */
async function runThenWait(db: Database, replayId: string): Promise<number> {
  await run(db, replayId);
  const [job] = await db.$queryRaw<{ inMs: number }[]>`
    SELECT (EXTRACT(EPOCH FROM run_at - dispatched_at) * 1000)::float8 AS "inMs" FROM job
    WHERE subject_id = ${replayId}::uuid`;
  return job?.inMs ?? Number.NaN;
}

test('a replay of which as much waits as may is looked after when the endpoint is sent to again, within a minute', async () => {
  const { db, accountId } = await setUp();
  const endpointId = await withMany(db, accountId);
  const id = await begin(db, accountId, endpointId);
  const change = (data: object) => db.webhookEndpoint.update({ where: { id: endpointId }, data });
  const expectMinute = (waitsMs: number) => {
    expect(waitsMs).toBeGreaterThan(45_000);
    expect(waitsMs).toBeLessThanOrEqual(60_000);
  };
  await change({ pausedUntil: new Date(Date.now() + HOUR) });
  expectMinute(await runThenWait(db, id));
  await change({ pausedUntil: new Date(Date.now() + 40_000) });
  const paused = await runThenWait(db, id);
  expect(paused).toBeGreaterThan(2_000);
  expect(paused).toBeLessThanOrEqual(40_000);
  await change({ pausedUntil: null, ordered: true });
  expect(await runThenWait(db, id)).toBeLessThanOrEqual(2_000);
  await db.webhookDelivery.updateMany({
    where: { endpointId, sequence: 1 },
    data: { nextAttemptAt: new Date(Date.now() + HOUR) },
  });
  expectMinute(await runThenWait(db, id));
});

test('a replay takes nothing that is older than events are kept, whether it was owed or not', async () => {
  const { db, accountId } = await setUp();
  const old = { at: new Date(Date.now() - 31 * 24 * HOUR) };
  const endpointId = await createTestEndpoint(db, accountId, { eventTypes: ['task.due'] });
  await addTestEvents(db, accountId, ['task.due'], old);
  await publishTestEvents(db, ledger);
  await end(db, 'failed');
  await addTestEvents(db, accountId, ['order.filled'], old);
  await addTestEvents(db, accountId, ['order.filled']);
  await publishTestEvents(db, ledger);
  await db.webhookEndpoint.update({ where: { id: endpointId }, data: { eventTypes: ['*'] } });
  const id = await begin(db, accountId, endpointId);
  await run(db, id);
  expect(await deliveries(db, endpointId)).toEqual(['1 failed', '3 pending']);
  const progress = { status: 'succeeded', total: 1, examined: 1, scheduled: 1 };
  expect(await findReplay(db, accountId, id)).toMatchObject(progress);
});

test('a replay without an end takes all that is in the log, whatever the clocks of those who wrote it say', async () => {
  const { db, accountId } = await setUp();
  const at = new Date(Date.now() + HOUR / 2);
  await addTestEvents(db, accountId, ['task.due'], { at });
  await publishTestEvents(db, ledger);
  const endpointId = await createTestEndpoint(db, accountId);
  const id = await begin(db, accountId, endpointId, { until: null });
  await addTestEvents(db, accountId, ['task.due'], { at: new Date() });
  await publishTestEvents(db, ledger);
  await run(db, id);
  expect(await deliveries(db, endpointId)).toEqual(['2 pending', '1 pending']);
  expect(await findReplay(db, accountId, id)).toMatchObject({ total: 1, examined: 1 });
});
