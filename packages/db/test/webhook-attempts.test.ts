import { until } from '@gatehouse/testing/condition';
import { expect, test } from 'vitest';
import { recordAttempts } from '../src/webhook-attempts.ts';
import { cancelDeliveries } from '../src/webhook-deliveries.ts';
import { attempt, failure, given, read } from './delivering.ts';

test('attempts are written down with what follows from each', async () => {
  const { db, endpointId, ids } = await given(3);
  const [first = '', second = '', third = ''] = ids;
  await recordAttempts(db, [
    attempt(endpointId, first),
    failure(endpointId, second),
    failure(endpointId, third, { retryInMs: null }),
  ]);
  expect(await read(db, first)).toMatchObject({ status: 'succeeded', attempts: 1 });
  const retried = await read(db, second);
  expect(retried).toMatchObject({ status: 'pending', attempts: 1, endedAt: null });
  const inMs = Number(retried.nextAttemptAt) - Date.now();
  expect(inMs).toBeGreaterThan(30_000);
  expect(inMs).toBeLessThanOrEqual(60_000);
  expect(await read(db, third)).toMatchObject({ status: 'failed', nextAttemptAt: null });
  expect(await db.webhookAttempt.count()).toBe(3);
});

test('a failure of what was put back to its beginning meanwhile does not count there; a success does', async () => {
  const { db, endpointId, ids } = await given(2);
  const [first = '', second = ''] = ids;
  await recordAttempts(db, [
    failure(endpointId, first, { attemptsBefore: 4, retryInMs: null }),
    attempt(endpointId, second, { attemptsBefore: 4 }),
  ]);
  expect(await read(db, first)).toMatchObject({ status: 'pending', attempts: 0 });
  expect(await read(db, second)).toMatchObject({ status: 'succeeded' });
  expect(await db.webhookAttempt.count()).toBe(2);
});

test('what was canceled while its request was under way has succeeded when that did, and else is as it was', async () => {
  const { db, endpointId, ids } = await given(2);
  const [first = '', second = ''] = ids;
  await db.webhookDelivery.updateMany({
    data: { status: 'canceled', nextAttemptAt: null, endedAt: new Date() },
  });
  await recordAttempts(db, [attempt(endpointId, first), failure(endpointId, second)]);
  expect(await read(db, first)).toMatchObject({ status: 'succeeded' });
  expect(await read(db, second)).toMatchObject({ status: 'canceled', attempts: 0 });
});

test('a delivery that was sent twice has succeeded when one of the two did, in whatever order they are written down', async () => {
  const { db, endpointId, ids } = await given(40);
  const twins = ids.map((id, index) => {
    const last = failure(endpointId, id, { attemptsBefore: 9, retryInMs: null });
    const success = attempt(endpointId, id, { attemptsBefore: 9 });
    return index % 2 === 0 ? [last, success] : [success, last];
  });
  await db.webhookDelivery.updateMany({ data: { attempts: 9 } });
  await recordAttempts(db, twins.flat());
  expect(await db.webhookDelivery.count({ where: { status: 'succeeded', attempts: 10 } })).toBe(40);
  expect(await db.webhookAttempt.count()).toBe(80);
});

test('of two failures of one delivery the one that is of its present round counts', async () => {
  const { db, endpointId, ids } = await given(2);
  const [first = '', second = ''] = ids;
  const late = { attemptsBefore: 9, retryInMs: null };
  await recordAttempts(db, [
    ...[failure(endpointId, first, late), failure(endpointId, first)],
    ...[failure(endpointId, second), failure(endpointId, second, late)],
  ]);
  expect(await db.webhookDelivery.count({ where: { status: 'pending', attempts: 1 } })).toBe(2);
});

test('an attempt of a delivery that was deleted meanwhile is no trouble to those beside it', async () => {
  const { db, endpointId, ids } = await given(3);
  const [deleted = '', sent = '', failed = ''] = ids;
  await db.webhookDelivery.delete({ where: { id: deleted } });
  await recordAttempts(db, [attempt(endpointId, deleted), attempt(endpointId, sent)]);
  await recordAttempts(db, [failure(endpointId, deleted), failure(endpointId, failed)]);
  expect(await read(db, sent)).toMatchObject({ status: 'succeeded', attempts: 1 });
  expect(await read(db, failed)).toMatchObject({ status: 'pending', attempts: 1 });
  expect(await db.webhookAttempt.count()).toBe(2);
});

test('the time of an attempt is that of the database, less what the request took', async () => {
  const { db, endpointId, ids } = await given(1);
  await recordAttempts(db, [attempt(endpointId, ids[0] ?? '', { durationMs: 7_200_000 })]);
  const [times] = await db.$queryRaw<{ ms: number }[]>`
    SELECT extract(epoch FROM now() - at)::float8 * 1000 AS ms FROM webhook_attempt`;
  expect(times?.ms).toBeGreaterThanOrEqual(7_200_000);
  expect(times?.ms).toBeLessThan(7_260_000);
});

test('attempts at an endpoint and the cancelation of its deliveries do not wait for each other in a circle', async () => {
  const { db, endpointId, ids } = await given(250);
  const reversed = ids.toReversed();
  for (let round = 0; round < 15; round += 1) {
    await db.webhookDelivery.updateMany({
      data: { status: 'pending', nextAttemptAt: new Date(0), endedAt: null, attempts: 0 },
    });
    await Promise.all([
      cancelDeliveries(db, endpointId, 250),
      recordAttempts(
        db,
        reversed.map((id) => attempt(endpointId, id)),
      ),
      recordAttempts(
        db,
        ids.map((id) => failure(endpointId, id)),
      ),
    ]);
    expect(await db.webhookDelivery.count({ where: { status: 'succeeded' } })).toBe(250);
  }
});

test('attempts are written down in the order of their deliveries, whatever order they came in', async () => {
  const { db, endpointId, ids } = await given(2);
  const [first = '', second = ''] = ids.toSorted();
  let recorded: Promise<unknown> = Promise.resolve();
  await db.$transaction(async (tx) => {
    await tx.$executeRaw`SELECT 1 FROM webhook_delivery WHERE id = ${first}::uuid FOR NO KEY UPDATE`;
    recorded = recordAttempts(
      db,
      [second, first].map((id) => attempt(endpointId, id)),
    );
    await until(
      async () => {
        const [row] = await db.$queryRaw<{ count: number }[]>`
          SELECT count(*)::int FROM pg_stat_activity
          WHERE datname = current_database() AND wait_event_type = 'Lock'`;
        return row?.count === 1;
      },
      { what: 'the recorder to wait' },
    );
    // It holds nothing that comes after the one that it waits for.
    await tx.$executeRaw`SELECT 1 FROM webhook_delivery WHERE id = ${second}::uuid FOR NO KEY UPDATE NOWAIT`;
  });
  await recorded;
  expect(await db.webhookDelivery.count({ where: { status: 'succeeded' } })).toBe(2);
});
