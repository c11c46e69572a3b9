import { checkInvariants } from '@gatehouse/db/invariants';
import { setUserRole } from '@gatehouse/db/users';
import { consumerConnection } from '@gatehouse/jobs/connection';
import { type JobData, queuePrefix } from '@gatehouse/jobs/queues';
import { until } from '@gatehouse/testing/condition';
import { Worker } from 'bullmq';
import { expect, onTestFinished } from 'vitest';
import { type Gateway, order, type Reply, startGateway } from './harness.ts';

const HOUR_MS = 3_600_000;

export interface Board {
  gateway: Gateway;
  /** A request of the board's page for the queue of trades, or the given one. */
  press(path: string, options?: { method?: string; queue?: string; body?: object }): Promise<Reply>;
  /** The board's own list of the entries in a state. */
  shown(status: string): Promise<{ id: string }[]>;
}

export async function signIn({ call, db }: Gateway, role: 'operator' | 'admin'): Promise<string> {
  const person = { email: `${role}@example.com`, password: 'correct horse' };
  await call('POST', '/v1/auth/register', { body: { ...person, name: role } });
  await setUserRole(db, person.email, role);
  const answer = await call('POST', '/admin/login', {
    body: new URLSearchParams(person).toString(),
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
  });
  return answer.headers.get('set-cookie')?.split(';')[0] ?? '';
}

export async function openBoard(): Promise<Board> {
  const gateway = await startGateway();
  const headers = { cookie: await signIn(gateway, 'admin') };
  const api = '/admin/queues/api/queues';
  return {
    gateway,
    press: (path, { method = 'PUT', queue = 'trades', body } = {}) =>
      gateway.call(method, `${api}/${queue}/${path}`, { headers, body: body ?? {} }),
    async shown(status) {
      const { body } = await gateway.call('GET', `${api}?activeQueue=trades&status=${status}`, {
        headers,
      });
      return body.queues.find(({ name }: { name: string }) => name === 'trades').jobs;
    },
  };
}

/** Orders that are accepted; their jobs, dispatched and waiting in Redis. */
export async function oweTrades({ app, client, db }: Gateway, count = 1) {
  const { call } = await client();
  for (let n = 0; n < count; n += 1) {
    const headers = { 'idempotency-key': `order-${n}` };
    expect((await call('POST', '/v1/orders', { body: order(), headers })).status).toBe(201);
  }
  await until(async () => (await app.queues.trades.getWaitingCount()) === count, {
    what: 'Redis to have the jobs',
  });
  return db.job.findMany({ orderBy: { id: 'asc' } });
}

/** A worker of the queue of trades that does what it is told instead of trading. */
export function startHand({ redisUrl }: Gateway, work: (data: JobData) => Promise<void>): Worker {
  const connection = consumerConnection(redisUrl, () => undefined);
  const worker = new Worker<JobData>('trades', ({ data }) => work(data), {
    connection,
    prefix: queuePrefix('trades'),
    maxStalledCount: 0,
  });
  worker.on('error', () => undefined);
  onTestFinished(async () => {
    await worker.close();
    connection.disconnect();
  });
  return worker;
}

/** Jobs that a worker has tried in vain, as it leaves them: an entry that failed, and a row that has gone on. */
export async function failedTrades(gateway: Gateway, state: 'waiting' | 'dead', count = 1) {
  const { app, db } = gateway;
  await oweTrades(gateway, count);
  const runAt = new Date(Date.now() + HOUR_MS);
  const hand = startHand(gateway, async ({ id }) => {
    const failure = { state, attempts: { increment: 1 }, generation: { increment: 1 }, runAt };
    await db.job.update({ where: { id }, data: failure });
    throw new Error('refused');
  });
  await until(async () => (await app.queues.trades.getFailedCount()) === count, {
    what: 'the jobs to fail',
  });
  await hand.close();
  return db.job.findMany({ orderBy: { id: 'asc' } });
}

/** How many entries Redis has of the queue of trades. */
export const entries = ({ app }: Gateway) =>
  app.queues.trades.getJobCounts('wait', 'active', 'completed', 'failed');
export const statuses = async ({ db }: Gateway) =>
  (await db.order.findMany()).map(({ status }) => status);

export async function expectSound({ db }: Gateway): Promise<void> {
  const results = await checkInvariants(db);
  expect(results.flatMap(({ violations }) => violations)).toEqual([]);
}
