import { lockAccounts } from '@gatehouse/db/accounts';
import { transaction } from '@gatehouse/db/transaction';
import { until } from '@gatehouse/testing/condition';
import { acceptTestOrder, createTestAccount } from '@gatehouse/testing/fixtures';
import { expect, test } from 'vitest';
import { oweEmail } from './emails.ts';
import { startStack } from './stack.ts';
import { spawnWorker } from './worker-process.ts';

// A worker that is not gone by its deadline is ended with 1, so a code of 0 says that it was in time.
const DEADLINE_MS = 3_000;
const settings = { SHUTDOWN_DEADLINE_SECONDS: '3' };

/** For workers that have no reason to wait for it. */
const LONG_DEADLINE_MS = 25_000;
const patient = { SHUTDOWN_DEADLINE_SECONDS: '25' };

test('an idle worker leaves at once', async () => {
  const { environment } = await startStack();
  const worker = await spawnWorker({ ...environment, ...patient });
  const { code, afterMs } = await worker.end('SIGTERM');
  expect(worker.output()).toBe('');
  expect(code).toBe(0);
  expect(afterMs).toBeLessThan(LONG_DEADLINE_MS * 0.5);
});

test('a job that ends in time is completed by the worker that has it, and no other is begun', async () => {
  const stack = await startStack();
  const { db, smtp, environment } = stack;
  smtp.set('hang');
  await oweEmail(stack, 'running');
  const worker = await spawnWorker({ ...environment, ...patient });
  await until(() => smtp.attempts === 1, { what: 'the mail to be on its way' });
  const ending = worker.end('SIGTERM');
  await until(() => isClosing(worker.internalUrl), { what: 'the shutdown to begin' });
  await oweEmail(stack, 'too late');
  smtp.set('accept');

  const { code, afterMs } = await ending;
  expect(code).toBe(0);
  expect(afterMs).toBeLessThan(LONG_DEADLINE_MS * 0.5);
  expect(smtp.received.map(({ subject }) => subject)).toEqual(['Due: running']);
  expect(await db.job.count()).toBe(1);
});

test('a job that does not end in time is told to, is not blamed, and another worker completes it', async () => {
  const stack = await startStack();
  const { db, smtp, environment, startWorker, allSettled } = stack;
  smtp.set('hang');
  await oweEmail(stack, 'slow');
  const worker = await spawnWorker({ ...environment, ...settings });
  await until(() => smtp.attempts === 1, { what: 'the mail to be on its way' });
  const { code, afterMs } = await worker.end('SIGTERM');
  expect(code).toBe(0);
  expect(afterMs).toBeGreaterThan(DEADLINE_MS * 0.75);
  expect(await db.job.findFirstOrThrow()).toMatchObject({ attempts: 0, lastError: null });

  smtp.set('refuse');
  smtp.set('accept');
  await startWorker();
  await allSettled(5_000);
  expect(smtp.received.map(({ subject }) => subject)).toEqual(['Due: slow']);
});

test('a job that cannot be told is left, and another worker completes it', async () => {
  const stack = await startStack();
  const { db, ledger, environment, startWorker, orderIn, allSettled } = stack;
  const { accountId } = await createTestAccount(db);
  const worker = await spawnWorker({ ...environment, ...settings });
  const released = Promise.withResolvers<void>();
  const locked = Promise.withResolvers<void>();
  const holder = transaction(db, async (tx) => {
    await lockAccounts(tx, [accountId]);
    locked.resolve();
    await released.promise;
  });
  await locked.promise;
  const orderId = await acceptTestOrder(db, ledger, accountId);
  await until(() => isWaitingForLock(db), { what: 'the trade to wait for the account' });

  const { code } = await worker.end('SIGTERM');
  expect(code).toBe(0);
  released.resolve();
  await holder;
  await startWorker();
  // Its lock has to run out first.
  await orderIn('filled', accountId, orderId, 30_000);
  await allSettled();
  expect(await db.fill.count()).toBe(1);
}, 90_000);

test('the jobs of a worker that was killed are counted as failed, and run elsewhere', async () => {
  const stack = await startStack();
  const { db, smtp, environment, startWorker, allSettled } = stack;
  smtp.set('hang');
  await oweEmail(stack, 'orphan');
  const worker = await spawnWorker({ ...environment, ...settings });
  await until(() => smtp.attempts === 1, { what: 'the mail to be on its way' });
  await worker.end('SIGKILL');
  smtp.set('refuse');
  smtp.set('accept');
  await startWorker();
  const failed = await until(() => db.job.findFirst({ where: { attempts: 1 } }), {
    what: 'the lock to run out',
    timeoutMs: 25_000,
  });
  expect(failed.lastError).toBe(
    'Error: the run was lost: its worker died, or was cut off from Redis',
  );
  await allSettled();
  expect(smtp.received.map(({ subject }) => subject)).toEqual(['Due: orphan']);
});

async function isClosing(internalUrl: string): Promise<boolean> {
  const response = await fetch(`${internalUrl}/ready`);
  return response.status === 503;
}

async function isWaitingForLock(db: Parameters<typeof lockAccounts>[0]): Promise<boolean> {
  const waiting = await db.$queryRaw<unknown[]>`
    SELECT pid FROM pg_stat_activity
    WHERE datname = current_database() AND wait_event_type = 'Lock'`;
  return waiting.length > 0;
}
