import { appRoutes } from '@bull-board/api/dist/routes.js';
import { QUEUES } from '@gatehouse/jobs/definition';
import { until } from '@gatehouse/testing/condition';
import { expect, onTestFinished, test } from 'vitest';
import { buildApp } from '../src/app.ts';
import { entries, failedTrades, openBoard, oweTrades, signIn, startHand } from './board-page.ts';
import { order, startGateway } from './harness.ts';

/** Of a round of a schedule: no row has this id. */
const JOB_DATA = { id: crypto.randomUUID(), generation: 0, payload: {}, requestId: null };

test('clean all, empty and obliterate take entries from Redis and no row from the ledger', async () => {
  const { gateway, press } = await openBoard();
  const { db, app } = gateway;
  const dead = await failedTrades(gateway, 'dead');
  // The board spares what is younger than 5 s.
  const age = async (set: string) =>
    app.redis.zadd(app.queues.trades.toKey(set), 1, `${dead[0]?.id}-0`);
  await age('failed');
  expect((await press('clean/failed')).status).toBe(200);
  expect(await entries(gateway)).toEqual({ wait: 0, active: 0, completed: 0, failed: 0 });
  expect(await db.job.findMany()).toEqual(dead);

  await db.job.deleteMany();
  for (const path of ['empty', 'obliterate'] as const) {
    await db.job.deleteMany();
    const { call } = await gateway.client();
    const headers = { 'idempotency-key': path };
    await call('POST', '/v1/orders', { body: order(), headers });
    await until(async () => (await entries(gateway)).wait === 1, { what: 'Redis to have it' });
    const owed = await db.job.findMany();
    if (path === 'obliterate') {
      const tooEarly = await press('obliterate');
      expect([tooEarly.status, tooEarly.body.error.key]).toEqual([400, 'ERRORS.QUEUE_NOT_PAUSED']);
      await press('pause');
    }
    expect([path, (await press(path)).status]).toEqual([path, 200]);
    expect(await entries(gateway)).toEqual({ wait: 0, active: 0, completed: 0, failed: 0 });
    expect(await db.job.findMany()).toEqual(owed);
  }
  expect(await app.queues.trades.isPaused()).toBe(true);
});

test('pause and resume are written down, so that they hold when Redis has lost its data', async () => {
  const { gateway, press } = await openBoard();
  const { db, app } = gateway;
  const { trades, mail } = app.queues;
  const paused = async () => (await db.queuePause.findMany()).map(({ queue }) => queue).sort();
  expect((await press('pause')).status).toBe(200);
  expect((await press('pause')).status).toBe(200);
  expect([await paused(), await trades.isPaused(), await mail.isPaused()]).toEqual([
    ['trades'],
    true,
    false,
  ]);
  await app.redis.flushdb();
  // The page shows what is meant, not what Redis has forgotten.
  const headers = { cookie: await signIn(gateway, 'operator') };
  const page = await gateway.call('GET', '/admin/queues/api/queues', { headers });
  const shown = page.body.queues.filter(({ isPaused }: { isPaused: boolean }) => isPaused);
  expect(shown.map(({ name }: { name: string }) => name)).toEqual(['trades']);
  expect((await press('resume')).status).toBe(200);
  expect([await paused(), await trades.isPaused()]).toEqual([[], false]);
});

test('pause all and resume all reach every queue, also those that Redis has forgotten to be paused', async () => {
  const { gateway } = await openBoard();
  const { db, app, call } = gateway;
  const headers = { cookie: await signIn(gateway, 'admin') };
  const all = (action: string) => call('PUT', `/admin/queues/api/queues/${action}`, { headers });
  const told = () => Promise.all(Object.values(app.queues).map((queue) => queue.isPaused()));
  expect((await all('pause')).status).toBe(200);
  expect(await db.queuePause.count()).toBe(QUEUES.length);
  expect(await told()).toEqual(QUEUES.map(() => true));
  await app.queues.mail.resume();
  expect((await all('resume')).status).toBe(200);
  expect(await db.queuePause.count()).toBe(0);
  expect(await told()).toEqual(QUEUES.map(() => false));
});

test('nobody adds a job or edits its data: refused with the reason, and nothing changes', async () => {
  const { gateway, press } = await openBoard();
  const [job] = await oweTrades(gateway);
  const { schedules, trades } = gateway.app.queues;
  const round = await schedules.add('match-resting-orders', JOB_DATA);
  const entriesOf = async (queue: typeof trades) =>
    (await queue.getJobs()).map(({ id, data }) => ({ id, data }));
  const state = async () => [await entriesOf(trades), await entriesOf(schedules)];
  const before = await state();
  const made = { name: 'execute-trade', data: { id: job?.id }, options: {} };
  const edit = { method: 'PATCH', body: { jobData: {} } };
  for (const [path, options, reason] of [
    ['add', { method: 'POST', body: made }, 'never by hand'],
    ['add', { method: 'POST', body: made, queue: 'schedules' }, 'never by hand'],
    [`${job?.id}-0/update-data`, edit, 'never changed'],
    [`${round.id}/update-data`, { ...edit, queue: 'schedules' }, 'never changed'],
  ] as const) {
    const refused = await press(path, options);
    expect([path, refused.status, refused.body.message]).toEqual([
      path,
      403,
      expect.stringContaining(reason),
    ]);
  }
  expect(await state()).toEqual(before);
  expect(await gateway.db.job.findMany()).toEqual([job]);
});

test('a round of a schedule is owed to nobody: it is taken away as BullMQ does', async () => {
  const { gateway, press } = await openBoard();
  const { schedules } = gateway.app.queues;
  const round = await schedules.add('match-resting-orders', JOB_DATA);
  expect((await press(`${round.id}/clean`, { queue: 'schedules' })).status).toBe(204);
  expect(await schedules.getJobs()).toEqual([]);
});

test('a limit to a queue and the place of a job in it change nothing that is owed', async () => {
  const { gateway, press } = await openBoard();
  const { db } = gateway;
  const owed = await oweTrades(gateway, 2);
  const patch = { method: 'PATCH', body: { priority: 9 } };
  for (const [path, options] of [
    ['concurrency', { body: { concurrency: 1 } }],
    ['rate-limit', { body: { max: 1_000, duration: 1_000 } }],
    ['rate-limit/release', {}],
    [`${owed[0]?.id}-0/priority`, patch],
  ] as const) {
    expect([path, (await press(path, options)).status]).toEqual([path, 200]);
  }
  expect(await db.job.findMany({ orderBy: { id: 'asc' } })).toEqual(owed);
  const done: string[] = [];
  startHand(gateway, async ({ id }) => void done.push(id));
  await until(async () => (await entries(gateway)).completed === 2, { what: 'both to run' });
  expect(done).toEqual([owed[1]?.id, owed[0]?.id]);
});

test('an operator may press none of the buttons', async () => {
  const { gateway } = await openBoard();
  const headers = { cookie: await signIn(gateway, 'operator') };
  const [job] = await oweTrades(gateway);
  const before = [await gateway.db.job.findMany(), await entries(gateway)];
  const buttons = appRoutes.api.filter(({ method }) => method !== 'get');
  expect(buttons.length).toBeGreaterThan(20);
  for (const { method, route } of buttons) {
    const path = `${route}`
      .replace(':queueName', 'trades')
      .replace(':jobId', `${job?.id}-0`)
      .replace(/:\w+/, 'failed');
    const answer = await gateway.call(`${method}`.toUpperCase(), `/admin/queues${path}`, {
      headers,
      body: { force: true },
    });
    expect([path, answer.status]).toEqual([path, 403]);
  }
  expect([await gateway.db.job.findMany(), await entries(gateway)]).toEqual(before);
  expect(await gateway.db.queuePause.count()).toBe(0);
});

test('the log tells who pressed what, also in vain, and which debt was forgiven', async () => {
  const gateway = await startGateway();
  const cookie = await signIn(gateway, 'admin');
  const lines: Record<string, unknown>[] = [];
  const write = (line: string) => void lines.push(JSON.parse(line));
  const app = await buildApp(gateway.config, { level: 'info', stream: { write } });
  onTestFinished(() => app.close());
  const [job] = await oweTrades(gateway);
  const press = (path: string) =>
    app.inject({
      method: 'PUT',
      url: `/admin/queues/api/queues/trades/${path}`,
      headers: { cookie },
    });
  await press(`${job?.id}-0/clean`);
  await press('retry/waiting');
  const { id: userId } = await gateway.db.user.findFirstOrThrow({ where: { role: 'admin' } });
  const acts = await until(
    () => {
      const found = lines.filter(({ msg }) => msg === 'somebody acted on the queues');
      return found.length === 2 && found;
    },
    { what: 'both lines' },
  );
  expect(acts).toMatchObject([
    { userId, action: 'clean', queueName: 'trades', jobId: `${job?.id}-0`, status: 204 },
    { userId, action: 'retry', queueName: 'trades', queueStatus: 'waiting', status: 400 },
  ]);
  expect(lines).toContainEqual(
    expect.objectContaining({
      msg: 'canceling a job',
      jobId: job?.id,
      name: 'execute-trade',
      subjectId: job?.subjectId,
    }),
  );
});
