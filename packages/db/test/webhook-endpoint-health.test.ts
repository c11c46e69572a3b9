import { expect, test } from 'vitest';
import { recordAttempts } from '../src/webhook-attempts.ts';
import { attempt, failure, given, read, URL } from './delivering.ts';

const DAY_MS = 86_400_000;

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
