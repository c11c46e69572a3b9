import { createTask } from '@gatehouse/db/tasks';
import { transaction } from '@gatehouse/db/transaction';
import { remindTask } from '@gatehouse/jobs/definitions/remind-task';
import { until } from '@gatehouse/testing/condition';
import { acceptTestOrder, createTestAccount } from '@gatehouse/testing/fixtures';
import { shiftedClock } from '@gatehouse/testing/shifted-clock';
import { expect, test } from 'vitest';
import { startStack, type TestStack } from './stack.ts';
import { spawnWorker, type WorkerProcess } from './worker-process.ts';

const MINUTE_MS = 60_000;

/** A worker whose clock is five minutes behind, or ahead of everybody else's. */
const CLOCKS = { behind: -5 * MINUTE_MS, ahead: 5 * MINUTE_MS } as const;

function spawnSkewed({ environment }: TestStack, clock: keyof typeof CLOCKS) {
  return spawnWorker({ ...environment, ...shiftedClock(CLOCKS[clock]) });
}

/** How many rounds over the resting orders a worker has done. */
async function rounds({ internalUrl }: WorkerProcess): Promise<number> {
  const metrics = await (await fetch(`${internalUrl}/metrics`)).text();
  return Number(
    /^gatehouse_jobs_processed_total\{.*"match-resting-orders"\} (\d+)$/m.exec(metrics)?.[1] ?? 0,
  );
}

for (const clock of ['behind', 'ahead'] as const) {
  test(`a worker whose clock is ${clock} reminds of a task when it is due, and not before`, async () => {
    const stack = await startStack();
    const { db, ledger, smtp, allSettled } = stack;
    await spawnSkewed(stack, clock);
    const { accountId } = await createTestAccount(db);
    const dueAt = new Date(Date.now() + 2_000);
    const fields = { title: 'File taxes', description: null, status: 'TODO', priority: 0 } as const;
    const { id: taskId } = await createTask(db, accountId, { ...fields, dueAt });
    await transaction(db, (tx) =>
      ledger.enqueue(tx, remindTask, { taskId }, { requestId: null, runAt: dueAt }),
    );
    await allSettled();
    expect(Date.now()).toBeGreaterThanOrEqual(dueAt.getTime());
    expect(smtp.received.map(({ subject }) => subject)).toEqual(['Due: File taxes']);
    const { remindedAt } = await db.task.findUniqueOrThrow({ where: { id: taskId } });
    expect(Math.abs((remindedAt?.getTime() ?? 0) - dueAt.getTime())).toBeLessThan(MINUTE_MS);
  });

  test(`rounds go on, one a period, with a worker whose clock is ${clock} and when it is gone`, async () => {
    const stack = await startStack();
    const { db, ledger, quotes, orderIn } = stack;
    const skewed = await spawnSkewed(stack, clock);
    await until(async () => (await rounds(skewed)) >= 3, { what: 'its rounds' });
    const since = performance.now();
    const before = await rounds(skewed);
    await until(async () => (await rounds(skewed)) >= before + 3, { what: 'three more' });
    // Of two that follow each other at once the second would be one too many.
    expect(performance.now() - since).toBeGreaterThan(1_500);
    await skewed.end('SIGKILL');

    await stack.startWorker();
    const { accountId } = await createTestAccount(db);
    const resting = { limitPrice: '95', timeInForce: 'gtc' } as const;
    const orderId = await acceptTestOrder(db, ledger, accountId, resting);
    await orderIn('submitted', accountId, orderId);
    quotes.set({ bid: '90', ask: '90' });
    await orderIn('filled', accountId, orderId);
  });
}
