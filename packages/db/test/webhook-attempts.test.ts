import { newId } from '@gatehouse/domain/id';
import { until } from '@gatehouse/testing/condition';
import { testDatabase } from '@gatehouse/testing/database';
import { createTestAccount } from '@gatehouse/testing/fixtures';
import { expect, onTestFinished, test } from 'vitest';
import type { Database } from '../src/client.ts';
import { nextDueInMs, readLane, takeDue } from '../src/due-deliveries.ts';
import { insertEvents } from '../src/events.ts';
import { type NewAttempt, recordAttempts } from '../src/webhook-attempts.ts';
import { cancelDeliveries } from '../src/webhook-deliveries.ts';

interface Given {
  db: Database;
  endpointId: string;
  /** Deliveries, by their sequence from 1. */
  ids: string[];
}

const DAY_MS = 86_400_000;

const URL = 'https://example.com/';

const NO_FUSS = { limit: 10, held: [], ordered: false };

/** An endpoint with so many deliveries, each of which has been due for an hour. */
async function given(count: number, endpoint: { ordered?: boolean } = {}): Promise<Given> {
  const { db, drop } = await testDatabase();
  onTestFinished(drop);
  const { accountId } = await createTestAccount(db);
  const endpointId = newId();
  await db.webhookEndpoint.create({
    data: {
      ...{ id: endpointId, accountId, url: URL, eventTypes: ['*'] },
      ...{ sealedSecret: Buffer.from('sealed'), maxConcurrency: 5, ordered: false, ...endpoint },
    },
  });
  const eventIds = Array.from({ length: count }, () => newId());
  const at = new Date('2026-11-20T08:00:00.120Z');
  await db.$transaction((tx) =>
    insertEvents(
      tx,
      eventIds.map((id) => ({
        ...{ id, accountId, type: 'task.created', at, requestId: null, data: { b: 1, a: 'ü' } },
      })),
    ),
  );
  const ids = eventIds.map(() => newId());
  await db.webhookDelivery.createMany({
    data: eventIds.map((eventId, index) => ({
      ...{ id: ids[index] ?? '', accountId, endpointId, eventId, sequence: index + 1 },
      nextAttemptAt: new Date(Date.now() - 3_600_000),
    })),
  });
  return { db, endpointId, ids };
}

function attempt(endpointId: string, deliveryId: string, changes: Partial<NewAttempt> = {}) {
  return {
    ...{ endpointId, url: URL, deliveryId, attemptsBefore: 0, durationMs: 5, isNews: false },
    ...{ statusCode: 200, error: null, responseBody: '', retryInMs: null, pauseMs: null },
    opensBreaker: false,
    ...changes,
  };
}

const failure = (endpointId: string, deliveryId: string, changes: Partial<NewAttempt> = {}) =>
  attempt(endpointId, deliveryId, {
    ...{ statusCode: 500, error: 'answered 500', retryInMs: 60_000, ...changes },
  });

const read = (db: Database, id = '') => db.webhookDelivery.findUniqueOrThrow({ where: { id } });

test('what is due is taken with its event, as it was written down, and not what is held or comes later', async () => {
  const { db, endpointId, ids } = await given(3);
  const [first, second = '', third = ''] = ids;
  await db.webhookDelivery.update({
    where: { id: second },
    data: { nextAttemptAt: new Date(Date.now() + 60_000) },
  });
  const held = [third];
  const taken = await takeDue(db, endpointId, { ...NO_FUSS, held });
  expect(taken).toEqual([
    {
      ...{ id: first, sequence: 1n, attempts: 0, eventId: expect.any(String) },
      ...{ type: 'task.created', timestamp: '2026-11-20T08:00:00.120Z', data: '{"b":1,"a":"ü"}' },
    },
  ]);
  expect(await takeDue(db, endpointId, { ...NO_FUSS, limit: 1 })).toHaveLength(1);
});

test('in its order nothing is taken past what is not due', async () => {
  const { db, endpointId, ids } = await given(4, { ordered: true });
  await db.webhookDelivery.update({
    where: { id: ids[2] ?? '' },
    data: { nextAttemptAt: new Date(Date.now() + 60_000) },
  });
  const take = async (held: string[]) =>
    (await takeDue(db, endpointId, { limit: 10, held, ordered: true })).map(({ id }) => id);
  expect(await take([])).toEqual(ids.slice(0, 2));
  expect(await take(ids.slice(0, 2))).toEqual([]);
});

test('the next time is that of the earliest, or of the first in order, and not before a pause is over', async () => {
  const { db, endpointId, ids } = await given(2);
  expect(await nextDueInMs(db, endpointId)).toBe(0);
  const at = (ms: number) => new Date(Date.now() + ms);
  const [id = ''] = ids;
  await db.webhookDelivery.update({ where: { id }, data: { nextAttemptAt: at(3_600_000) } });
  expect(await nextDueInMs(db, endpointId)).toBe(0);
  await db.webhookEndpoint.updateMany({ data: { ordered: true } });
  expect(await nextDueInMs(db, endpointId)).toBeGreaterThan(3_500_000);
  await db.webhookEndpoint.updateMany({ data: { pausedUntil: at(7_200_000) } });
  expect(await nextDueInMs(db, endpointId)).toBeGreaterThan(7_100_000);
  await db.webhookEndpoint.updateMany({ data: { disabledAt: at(0), disabledReason: 'owner' } });
  expect(await nextDueInMs(db, endpointId)).toBeNull();
  expect(await readLane(db, endpointId)).toBeNull();
});

test('a secret before the last holds until it ends', async () => {
  const { db, endpointId } = await given(0);
  const previousSealedSecret = Buffer.from('previous');
  const until = (ms: number) =>
    db.webhookEndpoint.updateMany({
      data: { previousSealedSecret, previousSecretExpiresAt: new Date(Date.now() + ms) },
    });
  const secrets = async () =>
    (await readLane(db, endpointId))?.sealedSecrets.map((each) => Buffer.from(each).toString());
  await until(60_000);
  expect(await secrets()).toEqual(['sealed', 'previous']);
  await until(-60_000);
  expect(await secrets()).toEqual(['sealed']);
});

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

test('the health of an endpoint is reckoned from its last success', async () => {
  const { db, endpointId, ids } = await given(8);
  const [a = '', b = '', c = '', d = ''] = ids;
  const health = () => db.webhookEndpoint.findUniqueOrThrow({ where: { id: endpointId } });
  const [failing] = await recordAttempts(db, [
    failure(endpointId, a),
    attempt(endpointId, b),
    failure(endpointId, c),
    failure(endpointId, d, { pauseMs: 60_000 }),
  ]);
  expect(failing).toMatchObject({ endpointId, failures: 2 });
  const { failures, failingSince, pausedUntil } = await health();
  expect(failures).toBe(2);
  expect(Number(pausedUntil) - Number(failingSince)).toBe(60_000);

  // A short pause does not end a long one, and five in a row open the breaker.
  await recordAttempts(
    db,
    ids.slice(4, 7).map((id) => failure(endpointId, id)),
  );
  expect(await health()).toMatchObject({ failures: 5, failingSince, pausedUntil });
  await db.webhookEndpoint.updateMany({ data: { pausedUntil: null } });
  const [later] = await recordAttempts(db, [failure(endpointId, ids[7] ?? '')]);
  expect(later?.failingForMs).toBeGreaterThan(0);
  expect(Number((await health()).pausedUntil) - Date.now()).toBeGreaterThan(3_000);

  expect(await recordAttempts(db, [attempt(endpointId, a, { isNews: true })])).toEqual([]);
  expect(await health()).toMatchObject({ failures: 0, failingSince: null });
});

test('one failure that opens the breaker pauses its endpoint, unless a success came after it', async () => {
  const { db, endpointId, ids } = await given(3);
  const [a = '', b = '', c = ''] = ids;
  const pausedUntil = async () => (await db.webhookEndpoint.findFirstOrThrow()).pausedUntil;
  const hung = { statusCode: null, error: 'timed out', opensBreaker: true };
  await recordAttempts(db, [failure(endpointId, a, hung), attempt(endpointId, b)]);
  expect(await pausedUntil()).toBeNull();
  await recordAttempts(db, [failure(endpointId, c, hung)]);
  expect(Number(await pausedUntil()) - Date.now()).toBeGreaterThan(3_000);
});

test('what came of another URL says nothing of the one that the endpoint has now', async () => {
  const { db, endpointId, ids } = await given(3);
  const [a = '', b = '', c = ''] = ids;
  const health = () => db.webhookEndpoint.findUniqueOrThrow({ where: { id: endpointId } });
  const old = { url: 'https://example.com/old', pauseMs: 60_000 };
  const late = await recordAttempts(db, [failure(endpointId, a, old)]);
  expect(late).toEqual([]);
  expect(await health()).toMatchObject({ failures: 0, failingSince: null, pausedUntil: null });
  // Its delivery waits for its retry all the same.
  expect(await read(db, a)).toMatchObject({ status: 'pending', attempts: 1 });
  const both = await recordAttempts(db, [
    failure(endpointId, b),
    attempt(endpointId, c, { url: old.url }),
  ]);
  expect(both).toMatchObject([{ url: URL, failures: 1 }]);
  expect(await health()).toMatchObject({ failures: 1, pausedUntil: null });
});

test('failures count together when no more than two days are between them', async () => {
  const { db, endpointId, ids } = await given(2);
  const failingSince = new Date(Date.now() - 30 * DAY_MS);
  const ago = (days: number) => new Date(Date.now() - days * DAY_MS);
  const given30Days = { failures: 10, failingSince };
  const health = () => db.webhookEndpoint.findUniqueOrThrow({ where: { id: endpointId } });

  await db.webhookEndpoint.updateMany({ data: { ...given30Days, lastFailedAt: ago(1.5) } });
  const [together] = await recordAttempts(db, [failure(endpointId, ids[0] ?? '')]);
  expect(together?.failingForMs).toBeGreaterThan(29 * DAY_MS);
  const { lastFailedAt, ...rest } = await health();
  expect(rest).toMatchObject({ failures: 11, failingSince });
  expect(Date.now() - Number(lastFailedAt)).toBeLessThan(60_000);

  await db.webhookEndpoint.updateMany({ data: { ...given30Days, lastFailedAt: ago(2.5) } });
  const [anew] = await recordAttempts(db, [failure(endpointId, ids[1] ?? '')]);
  expect(anew?.failures).toBe(1);
  expect(anew?.failingForMs).toBeLessThan(60_000);
  expect(Date.now() - Number((await health()).failingSince)).toBeLessThan(60_000);
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
