import { consumerConnection } from '@gatehouse/jobs/connection';
import { queuePrefix } from '@gatehouse/jobs/queues';
import { Worker } from 'bullmq';
import { expect, onTestFinished, test } from 'vitest';
import { findNextJob } from '../src/progress-next-job.ts';
import { startStack } from './stack.ts';

const HOUR_MS = 3_600_000;

/** A queue, and a BullMQ worker that takes a job when it is told to. */
async function openQueue() {
  const { queues, redis, environment } = await startStack();
  const connection = consumerConnection(environment.REDIS_URL ?? '', () => undefined);
  const prefix = queuePrefix('tasks');
  const worker = new Worker('tasks', null, { connection, prefix, autorun: false });
  onTestFinished(async () => {
    await worker.close();
    connection.disconnect();
  });
  const queue = queues.tasks;
  return {
    queue,
    add: async (
      jobId: string,
      opts: { priority?: number; lifo?: boolean; delay?: number } = {},
    ) => {
      const data = { id: jobId, generation: 0, payload: {}, requestId: null };
      await queue.add('test', data, { jobId, ...opts });
    },
    next: () => findNextJob(redis, 'tasks'),
    take: async () => (await worker.getNextJob('token', { block: false }))?.id ?? null,
  };
}

test('the next job is the one that BullMQ takes', async () => {
  const { add, next, take } = await openQueue();
  expect(await next()).toBeNull();
  await add('tomorrow', { delay: HOUR_MS });
  expect(await next()).toBeNull();
  await add('late', { priority: 5 });
  await add('later', { priority: 5 });
  await add('urgent', { priority: 1 });
  await add('first');
  await add('second');
  await add('pushed in', { lifo: true });
  const taken: (string | null)[] = [];
  for (let count = 0; count < 7; count += 1) {
    const expected = await next();
    taken.push(await take());
    expect(taken.at(-1)).toBe(expected);
  }
  expect(taken).toEqual(['pushed in', 'first', 'second', 'urgent', 'late', 'later', null]);
});

test('there is none in a queue that is paused, until it is resumed', async () => {
  const { queue, add, next, take } = await openQueue();
  await queue.pause();
  await add('waiting');
  expect([await next(), await take()]).toEqual([null, null]);
  await queue.resume();
  expect([await next(), await take()]).toEqual(['waiting', 'waiting']);
});

test('there is none in a queue that is at its global concurrency', async () => {
  const { queue, add, next, take } = await openQueue();
  await queue.setGlobalConcurrency(2);
  for (const id of ['a', 'b', 'c']) await add(id);
  expect([await next(), await take()]).toEqual(['a', 'a']);
  expect([await next(), await take()]).toEqual(['b', 'b']);
  expect([await next(), await take()]).toEqual([null, null]);
});

test('there is none in a queue that is rate limited', async () => {
  const { queue, add, next, take } = await openQueue();
  await queue.setGlobalRateLimit(2, HOUR_MS);
  for (const id of ['a', 'b', 'c']) await add(id);
  expect([await next(), await take()]).toEqual(['a', 'a']);
  expect([await next(), await take()]).toEqual(['b', 'b']);
  expect([await next(), await take()]).toEqual([null, null]);
  await queue.removeGlobalRateLimit();
  expect(await next()).toBe('c');
});
