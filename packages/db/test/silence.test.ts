import { testDatabase } from '@gatehouse/testing/database';
import { startTcpProxy } from '@gatehouse/testing/tcp-proxy';
import { expect, onTestFinished, test } from 'vitest';
import { createDatabase, type Database } from '../src/client.ts';
import { isDatabaseUnavailable } from '../src/errors.ts';

const SILENCE_MS = 500;

/** Seconds that no answer takes which is given up. */
const FOR_EVER = 30;

/** A client of one connection: if that one is not given back, nothing works any more. */
async function connect(silenceMs: number) {
  const { url, drop } = await testDatabase();
  onTestFinished(drop);
  const proxy = await startTcpProxy(url);
  onTestFinished(proxy.close);
  const db = createDatabase(proxy.url, { connections: 1, silenceMs });
  onTestFinished(() => db.$disconnect());
  return { db, proxy };
}

async function works(db: Database): Promise<void> {
  expect(await db.$queryRaw`SELECT 1 AS one`).toEqual([{ one: 1 }]);
}

function failure(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => undefined,
    (error: unknown) => error,
  );
}

test('a statement that nobody answers fails as when the database is away, and the next one works', async () => {
  const { db } = await connect(SILENCE_MS);
  const error = await failure(db.$queryRaw`SELECT 1 FROM pg_sleep(${FOR_EVER})`);
  expect(isDatabaseUnavailable(error)).toBe(true);
  await works(db);
});

test('so does a transaction, and its connection is not missed', async () => {
  const { db } = await connect(SILENCE_MS);
  const error = await failure(
    db.$transaction(async (tx) => {
      await tx.$queryRaw`SELECT 1`;
      await tx.$queryRaw`SELECT 1 FROM pg_sleep(${FOR_EVER})`;
    }),
  );
  expect(isDatabaseUnavailable(error)).toBe(true);
  await works(db);
});

test('a commit that nobody answers is not taken for one', async () => {
  const { db, proxy } = await connect(SILENCE_MS);
  const error = await failure(
    db.$transaction(async (tx) => {
      await tx.$queryRaw`SELECT 1`;
      proxy.swallow();
    }),
  );
  expect(isDatabaseUnavailable(error)).toBe(true);
  proxy.heal();
  await works(db);
});

test('a connection that rested while its network went away is not tried', async () => {
  const { db, proxy } = await connect(SILENCE_MS);
  await works(db);
  proxy.swallow();
  proxy.heal();
  const first = await failure(works(db));
  expect(first === undefined || isDatabaseUnavailable(first)).toBe(true);
  await works(db);
});

test('a statement may take as long as it is given', async () => {
  const { db } = await connect(4 * SILENCE_MS);
  const rows = await db.$queryRaw`SELECT 1 AS one FROM pg_sleep(${(2 * SILENCE_MS) / 1_000})`;
  expect(rows).toEqual([{ one: 1 }]);
});
