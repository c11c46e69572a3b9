import { until } from '@gatehouse/testing/condition';
import { expect, test } from 'vitest';
import {
  entries,
  expectSound,
  failedTrades,
  openBoard,
  oweTrades,
  startHand,
  statuses,
} from './board-page.ts';

test.each(['dead', 'waiting'] as const)(
  'retry of a failed job whose row is %s redrives the row, and its entry is gone',
  async (state) => {
    const { gateway, press } = await openBoard();
    const [job] = await failedTrades(gateway, state);
    expect(job).toMatchObject({ state, attempts: 1, generation: 1 });
    expect((await press(`${job?.id}-0/retry`)).status).toBe(204);
    const after = await gateway.db.job.findMany();
    expect(after).toMatchObject([{ state: 'waiting', attempts: 0, generation: 2 }]);
    expect(after[0]?.runAt.getTime()).toBeLessThanOrEqual(Date.now());
    expect(await entries(gateway)).toEqual({ wait: 0, active: 0, completed: 0, failed: 0 });
    expect((await press(`${job?.id}-0/retry`)).status).toBe(404);
    expect(await gateway.db.job.findMany()).toEqual(after);
  },
);

test('retry all redrives what is dead or waits, and leaves alone what is dispatched or done', async () => {
  const { gateway, press } = await openBoard();
  const { db } = gateway;
  const [first, second, third, fourth] = await failedTrades(gateway, 'dead', 4);
  await db.job.update({ where: { id: `${second?.id}` }, data: { state: 'waiting' } });
  await db.job.update({ where: { id: `${third?.id}` }, data: { state: 'dispatched' } });
  const dispatched = await db.job.findUnique({ where: { id: `${third?.id}` } });
  await db.job.delete({ where: { id: `${fourth?.id}` } });
  const answer = await press('retry/failed');
  expect([answer.status, answer.body]).toEqual([200, { retried: 4, skipped: 0 }]);
  expect(await db.job.findMany({ orderBy: { id: 'asc' } })).toMatchObject([
    { id: first?.id, state: 'waiting', attempts: 0, generation: 2 },
    { id: second?.id, state: 'waiting', attempts: 0, generation: 2 },
    { ...dispatched },
  ]);
  expect(await entries(gateway)).toEqual({ wait: 0, active: 0, completed: 0, failed: 0 });
});

test('retry of more failed jobs than the database has connections redrives every one of them', async () => {
  const { gateway, press } = await openBoard();
  await failedTrades(gateway, 'dead', 130);
  expect((await press('retry/failed')).body).toEqual({ retried: 130, skipped: 0 });
  const redriven = { state: 'waiting' as const, attempts: 0, generation: 2 };
  expect(await gateway.db.job.count({ where: redriven })).toBe(130);
});

test('what is completed is not done again, one or all, and stays to be looked at', async () => {
  const { gateway, press, shown } = await openBoard();
  const [job] = await oweTrades(gateway);
  let runs = 0;
  startHand(gateway, async () => {
    runs += 1;
    await gateway.db.job.deleteMany();
  });
  await until(async () => (await entries(gateway)).completed === 1, { what: 'the job to be done' });
  for (const path of [`${job?.id}-0/retry`, 'retry/completed']) {
    const refused = await press(path);
    expect([path, refused.status]).toEqual([path, 403]);
    expect(refused.body.message).toContain('nothing is done twice');
  }
  expect(await shown('completed')).toMatchObject([{ id: `${job?.id}-0` }]);
  expect(await entries(gateway)).toEqual({ wait: 0, active: 0, completed: 1, failed: 0 });
  expect(runs).toBe(1);
});

test.each(['dead', 'waiting'] as const)(
  'cleaning a failed job whose row is %s cancels what it is about',
  async (state) => {
    const { gateway, press } = await openBoard();
    const [job] = await failedTrades(gateway, state);
    expect((await press(`${job?.id}-0/clean`)).status).toBe(204);
    expect(await gateway.db.job.count()).toBe(0);
    expect(await statuses(gateway)).toEqual(['canceled']);
    expect(await entries(gateway)).toEqual({ wait: 0, active: 0, completed: 0, failed: 0 });
    await expectSound(gateway);
  },
);

test('cleaning a job that waits in Redis cancels that one, and no other', async () => {
  const { gateway, press } = await openBoard();
  const [job, neighbour] = await oweTrades(gateway, 2);
  expect((await press(`${job?.id}-0/clean`)).status).toBe(204);
  expect(await gateway.db.job.findMany()).toEqual([neighbour]);
  expect((await statuses(gateway)).sort()).toEqual(['accepted', 'canceled']);
  expect(await entries(gateway)).toEqual({ wait: 1, active: 0, completed: 0, failed: 0 });
  await expectSound(gateway);
});

test('a job that runs is not cleaned: 409, and it ends as if nobody had asked', async () => {
  const { gateway, press } = await openBoard();
  const { db } = gateway;
  const before = await oweTrades(gateway);
  const { promise: released, resolve: release } = Promise.withResolvers<void>();
  startHand(gateway, async ({ id }) => {
    await released;
    await db.job.delete({ where: { id } });
  });
  await until(async () => (await entries(gateway)).active === 1, { what: 'the job to run' });
  const refused = await press(`${before[0]?.id}-0/clean`);
  expect([refused.status, refused.body.error.key]).toEqual([409, 'ERRORS.JOB_IS_ACTIVE']);
  expect(await db.job.findMany()).toEqual(before);
  expect(await statuses(gateway)).toEqual(['accepted']);
  release();
  await until(async () => (await entries(gateway)).completed === 1, { what: 'the job to end' });
  expect(await db.job.count()).toBe(0);
});

test.each([
  ['is dispatched again', { state: 'dispatched' }],
  ['has failed again since', { generation: 2 }],
] as const)(
  'cleaning an old entry of a job that %s takes the entry and leaves the debt',
  async (_, changes) => {
    const { gateway, press } = await openBoard();
    const [job] = await failedTrades(gateway, 'waiting');
    await gateway.db.job.updateMany({ data: changes });
    const before = await gateway.db.job.findMany();
    expect((await press(`${job?.id}-0/clean`)).status).toBe(204);
    expect(await gateway.db.job.findMany()).toEqual(before);
    expect(await statuses(gateway)).toEqual(['accepted']);
    expect((await entries(gateway)).failed).toBe(0);
  },
);

test('a job that cannot be canceled stays, and the page is told why', async () => {
  const { gateway, press } = await openBoard();
  const [job] = await oweTrades(gateway);
  await gateway.db.job.updateMany({ data: { name: 'of-a-newer-version' } });
  const before = await gateway.db.job.findMany();
  const refused = await press(`${job?.id}-0/clean`);
  expect([refused.status, refused.body]).toEqual([
    409,
    {
      error: 'The job cannot be canceled now',
      message: 'The job cannot be canceled: no job is named of-a-newer-version here',
    },
  ]);
  expect(await gateway.db.job.findMany()).toEqual(before);
  expect((await entries(gateway)).wait).toBe(1);
});
