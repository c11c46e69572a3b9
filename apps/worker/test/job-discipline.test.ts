import { transaction } from '@gatehouse/db/transaction';
import { newId } from '@gatehouse/domain/id';
import { until } from '@gatehouse/testing/condition';
import { expect, test } from 'vitest';
import { NotYet } from '../src/not-yet.ts';
import { startStack, type TestStack } from './stack.ts';
import { justSettle, type TestJob, testJob, testWork } from './work.ts';

interface Options {
  subjectId?: string;
  priority?: number;
  runAt?: Date;
}

function add({ db, ledger }: TestStack, job: TestJob, title: string, options: Options = {}) {
  const { subjectId = newId(), ...rest } = options;
  return transaction(db, (tx) =>
    ledger.enqueue(tx, job, { subjectId, title }, { requestId: null, ...rest }),
  );
}

const ONE_AT_A_TIME = { WORKER_CONCURRENCY: '1' };

test.each([
  ['before', false],
  ['after', true],
])('jobs go by their priority %s Redis has lost everything', async (_, isFlushed) => {
  const stack = await startStack();
  const job = testJob();
  const done: string[] = [];
  for (const priority of [9, 0, 5, 1, 0, 9]) await add(stack, job, `${priority}`, { priority });
  await until(async () => (await stack.queues.tasks.count()) === 6, { what: 'Redis to have them' });
  if (isFlushed) {
    await stack.redis.flushdb();
    // All of them long enough ago to be found lost in one round: those of a later round go later.
    await stack.db.$executeRaw`UPDATE job SET dispatched_at = now() - interval '1 minute'`;
  }
  const work = testWork([
    job,
    async (title, context) => {
      done.push(title);
      await justSettle(context);
    },
  ]);
  await stack.startWorker(ONE_AT_A_TIME, work);
  await stack.allSettled();
  expect(done).toEqual(['0', '0', '1', '5', '9', '9']);
});

test('a delay outlives Redis, and the time of the database counts', async () => {
  const stack = await startStack();
  const job = testJob();
  const startedAt: number[] = [];
  const runAt = new Date(Date.now() + 2_500);
  await add(stack, job, 'later', { runAt });
  const work = testWork([
    job,
    async (_, context) => {
      startedAt.push(Date.now());
      await justSettle(context);
    },
  ]);
  await stack.startWorker({}, work);
  await stack.redis.flushdb();
  await stack.allSettled();
  expect(startedAt).toHaveLength(1);
  expect(startedAt[0]).toBeGreaterThanOrEqual(runAt.getTime());
});

test('jobs of a group run one at a time and in order, others meanwhile, through failures and a flush', async () => {
  const stack = await startStack();
  const job = testJob({
    groupKey: 'subjectId',
    retry: { attempts: 9, backoffMs: 20, maxBackoffMs: 20 },
  });
  const groups = [newId(), newId(), newId()];
  const numbers = Array.from({ length: 8 }, (_, index) => index);
  const running = new Set<string>();
  const done = new Map<string, string[]>(groups.map((group) => [group, []]));
  const failures = new Map<string, number>();
  let overlaps = 0;
  const work = testWork([
    job,
    async (title, context) => {
      const [group = '', number = ''] = title.split('/');
      if (running.has(group)) overlaps++;
      running.add(group);
      try {
        await stack.redis.ping();
        // Every third fails at first.
        const failed = failures.get(title) ?? 0;
        failures.set(title, failed + 1);
        if (Number(number) % 3 === 0 && failed === 0) throw new Error('not at first');
        await context.settle(async () => {
          done.get(group)?.push(number);
        });
      } finally {
        running.delete(group);
      }
    },
  ]);
  await Promise.all([stack.startWorker({}, work), stack.startWorker({}, work)]);
  for (const number of numbers) {
    for (const group of groups) await add(stack, job, `${group}/${number}`, { subjectId: group });
    if (number === 4) await stack.redis.flushdb();
  }
  await stack.allSettled();
  for (const order of done.values()) expect(order).toEqual(numbers.map(String));
  expect(overlaps).toBe(0);
});

test('a group that is held up holds up no other', async () => {
  const stack = await startStack();
  const job = testJob({ groupKey: 'subjectId' });
  const stuck = newId();
  const released = Promise.withResolvers<void>();
  const done: string[] = [];
  const work = testWork([
    job,
    async (title, context) => {
      if (title === 'stuck') await released.promise;
      done.push(title);
      await justSettle(context);
    },
  ]);
  await stack.startWorker({}, work);
  for (let index = 0; index < 20; index++) await add(stack, job, 'stuck', { subjectId: stuck });
  for (let index = 0; index < 20; index++) await add(stack, job, 'free');
  await until(() => done.length === 20, { what: 'the others' });
  expect(new Set(done)).toEqual(new Set(['free']));
  released.resolve();
  await stack.allSettled();
  expect(done).toHaveLength(40);
});

test('a run that takes too long is told so, and has failed; the next may succeed', async () => {
  const stack = await startStack();
  const job = testJob({ timeoutMs: 150 });
  const reasons: unknown[] = [];
  const work = testWork([
    job,
    async (_, context) => {
      if (reasons.length === 0) {
        await new Promise<void>((resolve) =>
          context.signal.addEventListener('abort', () => resolve()),
        );
        reasons.push(context.signal.reason);
        context.signal.throwIfAborted();
      }
      await justSettle(context);
    },
  ]);
  await stack.startWorker({}, work);
  await add(stack, job, 'slow');
  const failed = await until(() => stack.db.job.findFirst({ where: { attempts: 1 } }), {
    what: 'the failure',
  });
  expect(failed.lastError).toBe('TimedOut: the run was not over after 0.15 s');
  await stack.allSettled();
  expect(reasons).toEqual([expect.objectContaining({ name: 'TimedOut' })]);
});

test('a run that does not heed its time-out keeps no slot, and what it does late has no effect', async () => {
  const stack = await startStack();
  const job = testJob({ timeoutMs: 150 });
  const released = Promise.withResolvers<void>();
  const late: unknown[] = [];
  let runs = 0;
  let effects = 0;
  const work = testWork([
    job,
    async (_, { settle }) => {
      const isDeaf = runs++ === 0;
      if (isDeaf) await released.promise;
      const settling = settle(async () => {
        effects++;
      });
      await (isDeaf ? settling.catch((error: unknown) => late.push(error)) : settling);
    },
  ]);
  await stack.startWorker(ONE_AT_A_TIME, work);
  await add(stack, job, 'deaf');
  await stack.allSettled();
  released.resolve();
  await until(() => late.length === 1, { what: 'the late one' });
  expect(late).toEqual([new Error('test settled after its run was over')]);
  expect([runs, effects]).toEqual([2, 1]);
});

test('a job that could not even be tried is put off without being blamed, until its day is over', async () => {
  const stack = await startStack();
  const job = testJob({ retry: { attempts: 2, backoffMs: 20, maxBackoffMs: 20 } });
  let runs = 0;
  const work = testWork([
    job,
    async () => {
      runs++;
      throw new NotYet('the other side is away', 20);
    },
  ]);
  await stack.startWorker({}, work);
  await add(stack, job, 'patient');
  await until(() => runs > 4, { what: 'more runs than it has attempts' });
  expect(await stack.db.job.findFirstOrThrow()).toMatchObject({
    attempts: 0,
    lastError: 'NotYet: the other side is away',
  });
  await stack.db.$executeRaw`UPDATE job SET created_at = now() - interval '25 hours'`;
  const dead = await until(() => stack.db.job.findFirst({ where: { state: 'dead' } }), {
    what: 'its end',
  });
  expect(dead.attempts).toBe(2);
});

test('rows of a former name and payload are done by the version that has renamed both', async () => {
  const stack = await startStack();
  const before = testJob({ name: 'old-name' });
  const now = testJob({
    name: 'new-name',
    formerNames: ['old-name'],
    upgrade: ({ title = '', ...rest }) => ({ ...rest, title: `${title}, upgraded` }),
  });
  const done: string[] = [];
  const work = testWork([
    now,
    async (title, context) => {
      done.push(title);
      await justSettle(context);
    },
  ]);
  await add(stack, before, 'an old row');
  await stack.startWorker({}, work);
  await stack.allSettled();
  expect(done).toEqual(['an old row, upgraded']);
});

test('a newer name or payload waits, unblamed, for a worker that knows it', async () => {
  const stack = await startStack();
  const known = testJob();
  const newer = testJob({ name: 'newer' });
  await add(stack, newer, 'unknown name');
  // With a time of its own it stays in Postgres until a worker's relay comes.
  await add(stack, known, 'unknown payload', { runAt: new Date(0) });
  await stack.db.job.updateMany({
    where: { name: 'test' },
    data: { payload: { other: 'fields' } },
  });
  const handle = async (_: string, context: Parameters<typeof justSettle>[0]) => {
    await justSettle(context);
  };
  const old = await stack.startWorker({}, testWork([known, handle]));
  await until(
    async () => (await stack.db.job.count({ where: { lastError: { not: null } } })) === 2,
    {
      what: 'the old worker to have met both',
    },
  );
  await old.close();
  expect(
    (await stack.db.job.findMany({ orderBy: { name: 'asc' } })).map(({ attempts, lastError }) => [
      attempts,
      lastError,
    ]),
  ).toEqual([
    [0, 'NotYet: no processor for a job named newer'],
    [0, 'NotYet: this is no payload of test'],
  ]);
  const upgrade = () => ({ subjectId: newId(), title: 'read' });
  await stack.startWorker({}, testWork([newer, handle], [testJob({ upgrade }), handle]));
  await stack.allSettled();
});
