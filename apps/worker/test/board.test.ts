import { deletePause, insertPause } from '@gatehouse/db/queue-pauses';
import { cancelCarried } from '@gatehouse/jobs/carried-jobs';
import { cleanIdempotencyRecords } from '@gatehouse/jobs/definitions/clean-idempotency-records';
import { matchRestingOrders } from '@gatehouse/jobs/definitions/match-resting-orders';
import { obliterateQueue, pauseQueue, resumeQueue } from '@gatehouse/jobs/queue-pauses';
import { dispatchId } from '@gatehouse/jobs/queues';
import { until } from '@gatehouse/testing/condition';
import { acceptTestOrder, createTestAccount } from '@gatehouse/testing/fixtures';
import { pino } from 'pino';
import { expect, test } from 'vitest';
import { startSchedulers } from '../src/schedulers.ts';
import { expectBalancedBooks } from './books.ts';
import { startStack, type TestStack } from './stack.ts';

/** Orders whose jobs are in Redis, where nothing runs until `resumeQueue`. */
async function oweTrades({ db, ledger, queues }: TestStack, count: number): Promise<void> {
  await pauseQueue(db, queues.trades);
  const { accountId } = await createTestAccount(db, { cash: '1000000.00' });
  await Promise.all(Array.from({ length: count }, () => acceptTestOrder(db, ledger, accountId)));
  await until(async () => (await queues.trades.getWaitingCount()) === count, {
    what: 'Redis to have the jobs',
  });
}

test.each([
  ['emptied', ({ queues }: TestStack) => queues.trades.drain()],
  ['cleaned', ({ queues }: TestStack) => queues.trades.clean(0, 0, 'wait')],
  [
    'obliterated',
    ({ db, queues }: TestStack) => obliterateQueue(db, queues.trades, { force: true }),
  ],
] as const)(
  'what is owed in a queue that was %s settles all the same, once',
  async (_, destroy) => {
    const stack = await startStack();
    const { db, queues, smtp, startWorker, allSettled } = stack;
    await oweTrades(stack, 20);
    await destroy(stack);
    expect(await queues.trades.getWaitingCount()).toBe(0);
    expect(await db.job.count({ where: { queue: 'trades' } })).toBe(20);
    await startWorker();
    // The pause outlives even what has forgotten it; the sweep brings the jobs back into it.
    await until(async () => (await queues.trades.getWaitingCount()) === 20, {
      what: 'the jobs to be back',
      timeoutMs: 30_000,
    });
    expect([await queues.trades.isPaused(), await db.fill.count()]).toEqual([true, 0]);
    await resumeQueue(db, queues.trades);
    await allSettled(30_000);
    expect([await db.fill.count(), await db.order.count({ where: { status: 'filled' } })]).toEqual([
      20, 20,
    ]);
    expect(new Set(smtp.received.map(({ messageId }) => messageId)).size).toBe(20);
    await expectBalancedBooks(db);
  },
);

test('a queue that is obliterated with jobs under way does each of them once, and goes on', async () => {
  const stack = await startStack();
  const { db, ledger, queues, startWorker, allSettled } = stack;
  await startWorker();
  const { accountId } = await createTestAccount(db, { cash: '1000000.00' });
  const accept = () => acceptTestOrder(db, ledger, accountId);
  await Promise.all(Array.from({ length: 60 }, accept));
  await until(async () => (await db.fill.count()) >= 10, { what: 'the work to be under way' });
  await pauseQueue(db, queues.trades);
  await obliterateQueue(db, queues.trades, { force: true });
  await resumeQueue(db, queues.trades);
  await Promise.all(Array.from({ length: 5 }, accept));
  await allSettled(30_000);
  expect([await db.fill.count(), await db.order.count({ where: { status: 'filled' } })]).toEqual([
    65, 65,
  ]);
  await expectBalancedBooks(db);
});

test('a pause holds over the loss of Redis: nothing runs and nothing is lost, until it is resumed', async () => {
  const stack = await startStack();
  const { db, redis, queues, startWorker, orderIn, ledger } = stack;
  await oweTrades(stack, 3);
  await startWorker();
  await redis.flushdb();
  await until(() => queues.trades.isPaused(), { what: 'the pause to be back' });
  await until(async () => (await queues.trades.getWaitingCount()) === 3, {
    what: 'the jobs to be back',
  });
  const { accountId } = await createTestAccount(db);
  const orderId = await acceptTestOrder(db, ledger, accountId);
  await until(async () => (await queues.trades.getWaitingCount()) === 4, { what: 'one more' });
  expect([await db.fill.count(), await db.job.count()]).toEqual([0, 4]);
  await resumeQueue(db, queues.trades);
  await orderIn('filled', accountId, orderId);
  await until(async () => (await db.fill.count()) === 4, { what: 'all of them to run' });
});

test('workers do what the table says, whoever wrote it and whatever Redis believes', async () => {
  const { db, queues, startWorker } = await startStack();
  const agree = (queue: 'mail' | 'tasks', isPaused: boolean) =>
    until(async () => (await queues[queue].isPaused()) === isPaused, {
      what: `${queue} to be ${isPaused ? 'paused' : 'resumed'}`,
    });
  await startWorker();
  await insertPause(db, 'mail');
  await agree('mail', true);
  await queues.tasks.pause();
  await agree('tasks', false);
  expect(await queues.mail.isPaused()).toBe(true);
  await deletePause(db, 'mail');
  await agree('mail', false);
});

test('a job is canceled with its dispatch, or both stay', async () => {
  const stack = await startStack();
  const { db, queues, startWorker, allSettled } = stack;
  await oweTrades(stack, 2);
  const [first, second] = await db.job.findMany({ orderBy: { id: 'asc' } });
  if (first === undefined || second === undefined) throw new Error('two jobs are owed');
  const carried = async (row: typeof first) => {
    const entry = await queues.trades.getJob(dispatchId(row));
    if (entry === undefined) throw new Error(`Redis does not know ${row.id}`);
    return { dispatch: row, state: () => entry.getState(), remove: () => entry.remove() };
  };
  const taken = { ...(await carried(first)), remove: () => Promise.reject(new Error('locked')) };
  await expect(cancelCarried(db, taken)).rejects.toThrow('locked');
  expect(await db.job.findMany({ orderBy: { id: 'asc' } })).toEqual([first, second]);
  expect(await cancelCarried(db, await carried(second))).toEqual({ job: second, refusal: null });
  expect(await db.job.findMany()).toEqual([first]);

  await resumeQueue(db, queues.trades);
  await startWorker();
  await allSettled();
  const orders = await db.order.findMany({ orderBy: { id: 'asc' } });
  expect(orders.map(({ status }) => status).sort()).toEqual(['canceled', 'filled']);
  await expectBalancedBooks(db);
});

test('a job that somebody put into Redis by hand has no effect, and the worker goes on', async () => {
  const { db, queues, ledger, smtp, startWorker, orderIn, allSettled } = await startStack();
  const { accountId } = await createTestAccount(db);
  const orderId = await acceptTestOrder(db, ledger, accountId, {}, { handOver: false });
  const owed = await db.job.findFirstOrThrow();
  await db.job.update({ where: { id: owed.id }, data: { state: 'dead' } });
  await startWorker();
  const made = { id: crypto.randomUUID(), generation: 0, payload: { orderId, accountId } };
  await queues.trades.add('execute-trade', { ...made, requestId: null });
  await queues.trades.add('no-such-job', { ...made, requestId: null });
  for (const nonsense of [{}, null, { id: 7 }, 'text'])
    await queues.trades.add('execute-trade', Object(nonsense));
  await until(async () => (await queues.trades.getJobCountByTypes('completed', 'failed')) === 6, {
    what: 'the worker to be done with them',
  });
  expect([await db.fill.count(), await db.job.count()]).toEqual([0, 1]);
  const next = await acceptTestOrder(db, ledger, accountId);
  await orderIn('filled', accountId, next);
  await db.job.update({ where: { id: owed.id }, data: { state: 'waiting', generation: 1 } });
  await allSettled();
  expect([await db.fill.count(), smtp.received.length]).toEqual([2, 2]);
});

test('schedules go on after every button for their rounds', async () => {
  const { db, queues, startWorker } = await startStack();
  const { schedules } = queues;
  await startWorker();
  const newRound = async (after: string) => {
    const since = Date.now();
    const isNew = ({ name, timestamp }: { name: string; timestamp: number }) =>
      name === matchRestingOrders.name && timestamp > since;
    await until(async () => (await schedules.getCompleted()).some(isNew), {
      what: `a round after ${after}`,
      timeoutMs: 20_000,
    });
  };
  await newRound('the start');
  for (const [button, press] of [
    ['promote all', () => schedules.promoteJobs()],
    ['retry', async () => (await schedules.getCompleted())[0]?.retry('completed')],
    ['empty', () => schedules.drain()],
    ['clean all', () => schedules.clean(0, 0, 'wait')],
  ] as const) {
    await press();
    await newRound(button);
  }
  await pauseQueue(db, schedules);
  await obliterateQueue(db, schedules, { force: true });
  await resumeQueue(db, schedules);
  await newRound('obliterate');
}, 60_000);

test('rounds of schedules do not pile up while these are paused', async () => {
  const { db, queues, redis } = await startStack();
  const { schedules: queue } = queues;
  const schedules = [matchRestingOrders, cleanIdempotencyRecords];
  const offer = () =>
    startSchedulers({ queues, redis, schedules, log: pino({ level: 'silent' }) }).stop();
  await pauseQueue(db, queue);
  await offer();
  expect(await queue.getJobCountByTypes('wait', 'delayed')).toBe(0);
  await resumeQueue(db, queue);
  await offer();
  expect(await queue.getJobCountByTypes('wait', 'delayed')).toBe(2);
});
