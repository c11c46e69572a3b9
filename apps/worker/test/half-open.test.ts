import { migrate } from '@gatehouse/db/migrate';
import { until } from '@gatehouse/testing/condition';
import { acceptTestOrder, createTestAccount } from '@gatehouse/testing/fixtures';
import { lockWaiter } from '@gatehouse/testing/locks';
import { startTcpProxy, type TcpProxy } from '@gatehouse/testing/tcp-proxy';
import { expect, onTestFinished, test, vi } from 'vitest';
import { expectBalancedBooks } from './books.ts';
import { startStack, type TestStack } from './stack.ts';
import { spawnWorker, type WorkerProcess } from './worker-process.ts';

/** What is promised: a network that went away without a word is noticed, and done without, in this time. */
const NOTICED_MS = 30_000;

const ORDERS = 30;

vi.setConfig({ testTimeout: 4 * NOTICED_MS });

/** A worker that reaches one of its servers through a proxy, and nobody else to do its work. */
async function workerBehindProxy(
  { environment }: TestStack,
  server: 'DATABASE_URL' | 'REDIS_URL',
): Promise<{ worker: WorkerProcess; proxy: TcpProxy }> {
  // A database that was copied from the template has not what its settings say of idle transactions.
  await migrate(environment.DATABASE_URL ?? '');
  const proxy = await startTcpProxy(environment[server] ?? '');
  onTestFinished(proxy.close);
  return { worker: await spawnWorker({ ...environment, [server]: proxy.url }), proxy };
}

async function readiness({ internalUrl }: WorkerProcess): Promise<unknown> {
  const response = await fetch(`${internalUrl}/ready`);
  return response.json();
}

/** Swallows until the worker has felt it; from then on new connections work. */
async function swallow(proxy: TcpProxy, worker: WorkerProcess, part: 'postgres' | 'redis') {
  proxy.swallow();
  await until(async () => JSON.stringify(await readiness(worker)).includes(`"${part}":"failing"`), {
    what: 'the worker to feel it',
  });
  proxy.heal();
}

for (const [part, server] of [
  ['redis', 'REDIS_URL'],
  ['postgres', 'DATABASE_URL'],
] as const) {
  test(`a network that swallows all packets to ${part} is noticed in the middle of the work`, async () => {
    const stack = await startStack();
    const { db, ledger, smtp, orderIn, allSettled } = stack;
    const { worker, proxy } = await workerBehindProxy(stack, server);
    const { accountId } = await createTestAccount(db);
    await orderIn('filled', accountId, await acceptTestOrder(db, ledger, accountId));
    await Promise.all(Array.from({ length: ORDERS }, () => acceptTestOrder(db, ledger, accountId)));
    await swallow(proxy, worker, part);

    const since = performance.now();
    await acceptTestOrder(db, ledger, accountId);
    await allSettled(NOTICED_MS - (performance.now() - since));
    expect(await db.fill.count()).toBe(ORDERS + 2);
    expect(new Set(smtp.received.map(({ messageId }) => messageId)).size).toBe(ORDERS + 2);
    expect(await readiness(worker)).toMatchObject({ status: 'ok' });
    await expectBalancedBooks(db);
  });
}

test('a transaction that was open when the network went away holds up its account no longer', async () => {
  const stack = await startStack();
  const { db, ledger, orderIn, allSettled } = stack;
  const { worker, proxy } = await workerBehindProxy(stack, 'DATABASE_URL');
  const { accountId } = await createTestAccount(db);
  const orderId = await db.$transaction(
    async (tx) => {
      await tx.$executeRaw`SELECT 1 FROM account WHERE id = ${accountId}::uuid FOR NO KEY UPDATE`;
      const waiting = await acceptTestOrder(db, ledger, accountId);
      await lockWaiter(db);
      await swallow(proxy, worker, 'postgres');
      return waiting;
    },
    { timeout: NOTICED_MS },
  );
  // The server has given the lock to the worker's session, which nobody will ever end.
  await orderIn('filled', accountId, orderId, NOTICED_MS);
  await allSettled();
  expect(await db.fill.count()).toBe(1);
  await expectBalancedBooks(db);
});
