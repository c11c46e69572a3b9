import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deletePause } from '@gatehouse/db/queue-pauses';
import { pauseQueue } from '@gatehouse/jobs/queue-pauses';
import { until } from '@gatehouse/testing/condition';
import { startTestRedis } from '@gatehouse/testing/redis';
import { startTcpProxy } from '@gatehouse/testing/tcp-proxy';
import { Redis } from 'ioredis';
import { expect, onTestFinished, test } from 'vitest';
import { startStack } from './stack.ts';
import { owe, startWatchedWorker } from './watched-worker.ts';
import { wedge } from './wedge.ts';
import { justSettle, type TestJob, testJob, testWork } from './work.ts';

const RECREATED = 'gatehouse_consumers_recreated_total';
const none = { trades: 0, payments: 0, webhooks: 0, mail: 0, tasks: 0, schedules: 0 };
const WARN = 40;
const ERROR = 50;

const ok = { status: 200, body: { status: 'ok' } };
const wedgedTasks = { status: 503, body: { status: 'unavailable', workers: { tasks: 'wedged' } } };

/** A job that settles at once, unless it is the one that waits to be let go. */
function jobs({ held = '', job = testJob() }: { held?: string; job?: TestJob } = {}) {
  const begun: string[] = [];
  const released = Promise.withResolvers<void>();
  const work = testWork([
    job,
    async (title, context) => {
      begun.push(title);
      if (title === held) {
        const aborted = Promise.withResolvers<void>();
        context.signal.addEventListener('abort', () => aborted.reject(context.signal.reason));
        await Promise.race([released.promise, aborted.promise]);
      }
      await justSettle(context);
    },
  ]);
  return { job, work, begun, release: released.resolve };
}

test('a runner that takes nothing is recreated, takes the job, and was never unhealthy', async () => {
  const stack = await startStack();
  const wedged = wedge('tasks', { workers: 1 });
  const { job, work, begun } = jobs();
  const worker = await startWatchedWorker(stack, work);
  await owe(stack, job, 'waiting');
  const answers: unknown[] = [];
  await until(
    async () => {
      answers.push(await worker.health());
      return (await stack.db.job.count()) === 0;
    },
    { what: 'the job to settle' },
  );
  expect(begun).toEqual(['waiting']);
  expect(answers).toEqual(answers.map(() => ok));
  expect(await worker.metric(RECREATED)).toEqual({ ...none, tasks: 1 });
  const warnings = worker.log('tasks').filter(({ level }) => level >= WARN);
  expect(warnings).toEqual([expect.objectContaining({ level: WARN, queue: 'tasks' })]);
  expect(warnings[0]?.forMs).toBeGreaterThan(1_500);
  expect(warnings[0]?.msg).toContain('takes no jobs');

  await worker.close();
  // One that waited for the first consumer would have given up and said so.
  expect(worker.log().map(({ msg }) => msg)).not.toContainEqual(expect.stringContaining('in time'));
  expect(wedged.workers.size).toBe(2);
});

test('the jobs of a runner that was recreated go on, and settle', async () => {
  const stack = await startStack();
  wedge('tasks', { workers: 1, jobs: 1 });
  const { job, work, begun, release } = jobs({ held: 'first' });
  const worker = await startWatchedWorker(stack, work);
  await owe(stack, job, 'first');
  await until(() => begun.length === 1, { what: 'the first job to begin' });
  await owe(stack, job, 'second');
  await until(async () => (await stack.db.job.count()) === 1, { what: 'the second job to settle' });
  expect(await worker.metric(RECREATED)).toEqual({ ...none, tasks: 1 });
  expect(await worker.metric('gatehouse_jobs_running')).toEqual({ ...none, tasks: 1 });
  release();
  await stack.allSettled();
  await until(async () => (await worker.metric('gatehouse_jobs_running')).tasks === 0, {
    what: 'the first job to be over',
  });
  expect(begun).toEqual(['first', 'second']);
});

test('a shutdown tells also the jobs of a runner that was recreated to end, and waits for them', async () => {
  const stack = await startStack();
  wedge('tasks', { workers: 1, jobs: 1 });
  const { job, work, begun } = jobs({ held: 'first' });
  const worker = await startWatchedWorker(stack, work, { SHUTDOWN_DEADLINE_SECONDS: '3' });
  await owe(stack, job, 'first');
  await until(() => begun.length === 1, { what: 'the first job to begin' });
  await owe(stack, job, 'second');
  await until(async () => (await stack.db.job.count()) === 1, { what: 'the second job to settle' });
  await worker.close();
  // Handed back: only a run that was told to end, and was waited for, has written that.
  expect(await stack.db.job.findFirstOrThrow()).toMatchObject({ generation: 1, attempts: 0 });
  expect(worker.log().map(({ msg }) => msg)).not.toContainEqual(expect.stringContaining('in time'));
});

test('a runner whose loop ended is recreated at once', async () => {
  const stack = await startStack();
  const fetching = wedge('tasks', { workers: 0 });
  const { job, work } = jobs();
  const worker = await startWatchedWorker(stack, work);
  const [consumer] = await until(() => fetching.workers.size === 1 && [...fetching.workers], {
    what: 'the runner to look for jobs',
  });
  await consumer?.pause();
  await until(async () => (await worker.metric(RECREATED)).tasks === 1, {
    what: 'it to be recreated',
  });
  const [warning] = worker.log('tasks');
  expect(warning).toMatchObject({ level: WARN, standstill: 'the loop ended' });
  expect(warning?.forMs).toBeLessThan(1_500);
  await owe(stack, job, 'waiting');
  await stack.allSettled();
  expect(await worker.metric(RECREATED)).toEqual({ ...none, tasks: 1 });
  expect(await worker.health()).toEqual(ok);
});

test('a queue that stands still in spite of that makes the worker unhealthy, until it moves', async () => {
  const stack = await startStack();
  const { release } = wedge('tasks');
  const { job, work, begun } = jobs();
  const worker = await startWatchedWorker(stack, work);
  await owe(stack, job, 'waiting');
  await until(async () => (await worker.metric(RECREATED)).tasks === 1, {
    what: 'it to be recreated',
  });
  expect(await worker.health()).toEqual(ok);
  await until(async () => (await worker.health()).status === 503, { what: 'it to be unhealthy' });
  expect(await worker.health()).toEqual(wedgedTasks);
  expect(await worker.ready()).toEqual({
    status: 503,
    body: {
      status: 'unavailable',
      checks: { postgres: 'ok', redis: 'ok', workers: { tasks: 'wedged' } },
    },
  });
  const levels = worker.log('tasks').map(({ level }) => level);
  expect(levels).toEqual([WARN, ERROR]);
  const idle = await worker.metric('gatehouse_seconds_since_job_taken');
  expect(idle.tasks).toBeGreaterThan(3);

  release();
  await stack.allSettled();
  await until(async () => (await worker.health()).status === 200, { what: 'it to be healthy' });
  expect((await worker.ready()).status).toBe(200);
  expect(begun).toEqual(['waiting']);
  expect(worker.log('tasks').at(-1)?.msg).toBe('the queue moves again');
});

test('while Redis is away nothing counts as wedged', async () => {
  const stack = await startStack();
  const proxy = await startTcpProxy(stack.environment.REDIS_URL ?? '');
  onTestFinished(proxy.close);
  const { release } = wedge('tasks');
  const { job, work } = jobs();
  const worker = await startWatchedWorker(stack, work, { REDIS_URL: proxy.url });
  await owe(stack, job, 'waiting');
  const unhealthy = () =>
    until(async () => (await worker.health()).status === 503, { what: 'it to be unhealthy' });
  await unhealthy();
  proxy.cut();
  await until(async () => (await worker.health()).status === 200, { what: 'the outage to count' });
  expect((await worker.ready()).body).toMatchObject({
    checks: { redis: 'failing', workers: 'ok' },
  });
  proxy.heal();
  await unhealthy();
  release();
});

test('a full runner, a paused queue and queues at their limits are not wedged', async () => {
  const stack = await startStack();
  const { db, queues } = stack;
  const done: string[] = [];
  const released = Promise.withResolvers<void>();
  const settles = testJob({ name: 'settles' });
  const paused = testJob({ name: 'paused', queue: 'trades' });
  const full = testJob({ name: 'full', queue: 'mail' });
  const limited = testJob({ name: 'limited', queue: 'schedules' });
  const work = testWork(
    [settles, async (_title, context) => void (await justSettle(context))],
    [paused, async (_title, context) => void (await justSettle(context))],
    [
      full,
      async (_title, context) => {
        await released.promise;
        await justSettle(context);
      },
    ],
    [
      limited,
      async (title, context) => {
        await justSettle(context);
        done.push(title);
      },
    ],
  );
  const { release } = wedge('tasks');
  await pauseQueue(db, queues.trades);
  await queues.schedules.setGlobalRateLimit(1, 600_000);
  const worker = await startWatchedWorker(stack, work, { WORKER_CONCURRENCY: '1' });
  await owe(stack, paused, 'paused');
  await owe(stack, full, 'running');
  await owe(stack, full, 'waiting');
  await owe(stack, limited, 'taken');
  await owe(stack, limited, 'limited');
  await until(() => done.length === 1, { what: 'the limit to be reached' });
  // Which has its looks at the same times as the others, after they wait.
  await owe(stack, settles, 'wedged');

  await until(async () => (await worker.health()).status === 503, { what: 'it to be unhealthy' });
  expect(await worker.health()).toEqual(wedgedTasks);
  const recreated = await worker.metric(RECREATED);
  expect(recreated).toEqual({ ...none, tasks: expect.any(Number) });
  for (const queue of ['trades', 'mail', 'schedules'] as const) {
    expect(await queues[queue].getJobCounts()).toMatchObject({ waiting: 1 });
  }
  release();
  released.resolve();
});

test('a Redis that is full, so that nobody can take a job, makes no runner wedged', async () => {
  const stack = await startStack();
  const { db } = stack;
  const full = await ownRedis();
  const { job, work } = jobs();
  await pauseQueue(db, stack.queues.tasks);
  const worker = await startWatchedWorker(stack, work, { REDIS_URL: full.url });
  await owe(stack, job, 'waiting');
  await until(() => full.redis.llen('{gatehouse:tasks}:tasks:wait'), { what: 'the job to wait' });
  await full.redis.config('SET', 'maxmemory', '1');
  await deletePause(db, 'tasks');
  await until(
    () => worker.log().some(({ msg }) => msg.startsWith('the progress check does not work')),
    { what: 'the runner to be suspected' },
  );
  expect(await worker.metric(RECREATED)).toEqual(none);
  expect(await worker.health()).toEqual(ok);
  await full.redis.config('SET', 'maxmemory', '0');
  // After 5 s at the latest BullMQ looks again by itself. That is longer than this test's patience, not than ours.
  await stack.allSettled();
});

/** A Redis whose settings concern no other test. */
async function ownRedis(): Promise<{ url: string; redis: Redis }> {
  const dir = await mkdtemp(join(tmpdir(), 'gatehouse-progress-'));
  const server = await startTestRedis(dir);
  const redis = new Redis(server.url);
  onTestFinished(async () => {
    redis.disconnect();
    await server.stop();
    await rm(dir, { recursive: true });
  });
  return { url: server.url, redis };
}
