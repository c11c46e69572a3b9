import type { Database } from '@gatehouse/db/client';
import { findReplay } from '@gatehouse/db/webhook-replays';
import { addTestEvents, createTestEndpoint, publishTestEvents } from '@gatehouse/testing/webhooks';
import { expect, test } from 'vitest';
import {
  begin,
  broken,
  deliveries,
  end,
  everyEvent,
  HOUR,
  ledger,
  MANY,
  run,
  setUp,
  withMany,
} from './replays.ts';

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
