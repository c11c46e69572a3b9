import { once } from 'node:events';
import { until } from '@gatehouse/testing/condition';
import { acceptTestOrder, createTestAccount } from '@gatehouse/testing/fixtures';
import { startTcpProxy, type TcpProxy } from '@gatehouse/testing/tcp-proxy';
import { expect, onTestFinished, test } from 'vitest';
import { oweEmail } from './emails.ts';
import { startStack } from './stack.ts';
import { spawnMain, spawnWorker } from './worker-process.ts';

async function tcpProxy(target: string | undefined): Promise<TcpProxy> {
  const proxy = await startTcpProxy(target ?? '');
  onTestFinished(proxy.close);
  return proxy;
}

async function ready(internalUrl: string): Promise<{ status: number; body: unknown }> {
  const response = await fetch(`${internalUrl}/ready`);
  return { status: response.status, body: await response.json() };
}

const allOk = {
  status: 200,
  body: { status: 'ok', checks: { postgres: 'ok', redis: 'ok', workers: 'ok' } },
};

test('a worker with a bad configuration says so in one line and does not start', async () => {
  const { child, output } = spawnMain({ REDIS_URL: 'redis://localhost', METRICS_PORT: 'x' });
  const [code] = await once(child, 'close');
  expect(code).toBe(1);
  expect(output().trimEnd().split('\n')).toHaveLength(1);
  for (const name of ['DATABASE_URL', 'SMTP_URL', 'METRICS_PORT']) expect(output()).toContain(name);
});

test('a worker serves its health and counts its jobs, and outlives its supervisor', async () => {
  const stack = await startStack();
  const worker = await spawnWorker(stack.environment);
  expect(await ready(worker.internalUrl)).toEqual(allOk);
  const health = await fetch(`${worker.internalUrl}/health`);
  expect([health.status, await health.json()]).toEqual([200, { status: 'ok' }]);

  worker.child.disconnect();
  await oweEmail(stack, 'counted');
  await stack.allSettled();
  const labels = '{queue="mail",name="send-email"}';
  const metrics = await until(
    async () => {
      const text = await (await fetch(`${worker.internalUrl}/metrics`)).text();
      return text.includes(`gatehouse_jobs_processed_total${labels} 1`) && text;
    },
    { what: 'the job to be counted' },
  );
  expect(metrics).toContain(`gatehouse_job_duration_seconds_count${labels} 1`);
  expect(metrics).not.toContain('gatehouse_jobs_failed_total{');
  expect(metrics).toContain('process_cpu_seconds_total');
});

test('while Redis is away a worker waits, and catches up when it is back', async () => {
  const stack = await startStack();
  const { db, ledger, environment, orderIn, allSettled } = stack;
  const proxy = await tcpProxy(environment.REDIS_URL);
  const worker = await spawnWorker({ ...environment, REDIS_URL: proxy.url, LOG_LEVEL: 'info' });
  const { accountId } = await createTestAccount(db);
  await orderIn('filled', accountId, await acceptTestOrder(db, ledger, accountId));
  await allSettled();

  proxy.cut();
  await until(async () => (await ready(worker.internalUrl)).status === 503, {
    what: 'the worker to notice',
  });
  expect((await ready(worker.internalUrl)).body).toMatchObject({
    status: 'unavailable',
    checks: { postgres: 'ok', redis: 'failing' },
  });
  expect((await fetch(`${worker.internalUrl}/health`)).status).toBe(200);
  const orderId = await acceptTestOrder(db, ledger, accountId);
  // Longer than the retries of any connection, so that all of them are in their outage.
  await until(() => worker.output().includes('the sweep does not work'), {
    what: 'the sweep to stop',
  });
  proxy.heal();
  await orderIn('filled', accountId, orderId);
  await allSettled();
  await until(async () => (await ready(worker.internalUrl)).status === 200, {
    what: 'the worker to be ready again',
  });
  for (const what of ['the connection to Redis', 'the relay', 'the sweep']) {
    await until(() => worker.output().includes(`${what} works again`), { what: `word of ${what}` });
    expect(worker.output().split(`${what} does not work`)).toHaveLength(2);
    expect(worker.output().split(`${what} works again`)).toHaveLength(2);
  }
});

test('a worker without Redis leaves in time', async () => {
  const { environment } = await startStack();
  const proxy = await tcpProxy(environment.REDIS_URL);
  const settings = { ...environment, REDIS_URL: proxy.url, SHUTDOWN_DEADLINE_SECONDS: '3' };
  const worker = await spawnWorker(settings);
  proxy.cut();
  await until(async () => (await ready(worker.internalUrl)).status === 503, {
    what: 'the worker to notice',
  });
  // Later than its deadline it would be ended with 1.
  const { code } = await worker.end('SIGTERM');
  expect(code).toBe(0);

  const late = await spawnWorker(settings);
  expect((await late.end('SIGTERM')).code).toBe(0);
});

test('while Postgres is away a worker waits, and catches up when it is back', async () => {
  const stack = await startStack();
  const { db, ledger, environment, orderIn, allSettled } = stack;
  const proxy = await tcpProxy(environment.DATABASE_URL);
  const worker = await spawnWorker({ ...environment, DATABASE_URL: proxy.url });
  const { accountId } = await createTestAccount(db);
  proxy.cut();
  await until(async () => (await ready(worker.internalUrl)).status === 503, {
    what: 'the worker to notice',
  });
  const orderId = await acceptTestOrder(db, ledger, accountId);
  await until(async () => (await stack.queues.trades.getFailedCount()) === 1, {
    what: 'the attempt to fail',
  });
  expect(await db.job.findFirstOrThrow()).toMatchObject({ attempts: 0, state: 'dispatched' });
  proxy.heal();
  await orderIn('filled', accountId, orderId);
  await allSettled();
  expect(await db.fill.count()).toBe(1);
});
