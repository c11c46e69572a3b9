import { insertPause, lockPauses } from '@gatehouse/db/queue-pauses';
import { testDatabase } from '@gatehouse/testing/database';
import { lockWaiter } from '@gatehouse/testing/locks';
import { testRedis } from '@gatehouse/testing/redis';
import { expect, onTestFinished, test } from 'vitest';
import { producerConnection, warmUp } from '../src/connection.ts';
import { applyPauses, pauseQueue, resumeQueue } from '../src/queue-pauses.ts';
import { closeQueues, createQueues } from '../src/queues.ts';

async function setUp() {
  const { db, drop } = await testDatabase();
  const keyspace = await testRedis();
  const redis = producerConnection(keyspace.url, () => undefined);
  const queues = createQueues(redis, () => undefined);
  await warmUp(redis, 5_000);
  onTestFinished(async () => {
    await closeQueues(queues);
    redis.disconnect();
    await keyspace.drop();
    await drop();
  });
  return { db, redis, queues };
}

test('the table is right: what Redis forgot is paused again, what it should have forgotten runs', async () => {
  const { db, redis, queues } = await setUp();
  const all = Object.values(queues);
  const paused = async () => {
    const told = await Promise.all(all.map((queue) => queue.isPaused()));
    return all.filter((_, index) => told[index]).map(({ name }) => name);
  };
  await pauseQueue(db, queues.mail);
  await redis.flushdb();
  await queues.trades.pause();
  expect(await paused()).toEqual(['trades']);
  await applyPauses(db, all);
  expect(await paused()).toEqual(['mail']);
  await resumeQueue(db, queues.mail);
  expect(await paused()).toEqual([]);
  expect(await db.queuePause.count()).toBe(0);
});

test('a round that set out to resume a queue does not undo a pause that comes at the same moment', async () => {
  const { db, queues } = await setUp();
  const { mail } = queues;
  await mail.pause();
  const { promise: held, resolve: hold } = Promise.withResolvers<void>();
  const { promise: released, resolve: release } = Promise.withResolvers<void>();
  const operator = db.$transaction(async (tx) => {
    await lockPauses(tx);
    hold();
    await released;
    await insertPause(tx, 'mail');
  });
  await held;
  const round = applyPauses(db, [mail]);
  await lockWaiter(db);
  release();
  await Promise.all([operator, round]);
  expect(await mail.isPaused()).toBe(true);
});

test('a pause is written also when Redis does not answer', async () => {
  const { db, redis, queues } = await setUp();
  redis.disconnect();
  await expect(pauseQueue(db, queues.mail)).rejects.toThrow();
  expect(await db.queuePause.findMany()).toMatchObject([{ queue: 'mail' }]);
  await expect(resumeQueue(db, queues.mail)).rejects.toThrow();
  expect(await db.queuePause.count()).toBe(0);
});
