import { createTask } from '@gatehouse/db/tasks';
import { transaction } from '@gatehouse/db/transaction';
import { taskView } from '@gatehouse/domain/task-view';
import { remindTask } from '@gatehouse/jobs/definitions/remind-task';
import { createTestAccount } from '@gatehouse/testing/fixtures';
import { expect, test } from 'vitest';
import { startStack, type TestStack } from './stack.ts';

const MINUTE_MS = 60_000;

async function oweReminder({ db, ledger }: TestStack, taskId: string, runAt?: Date): Promise<void> {
  await transaction(db, (tx) =>
    ledger.enqueue(tx, remindTask, { taskId }, { requestId: null, ...(runAt && { runAt }) }),
  );
}

const fields = { title: 'File taxes', description: null, status: 'TODO', priority: 0 } as const;

test('the owner of a due task is reminded once, however many jobs there are', async () => {
  const stack = await startStack();
  const { db, smtp, startWorker, allSettled } = stack;
  await Promise.all([startWorker(), startWorker()]);
  const { accountId, email } = await createTestAccount(db);
  const dueAt = new Date(Date.now() - MINUTE_MS);
  const task = await createTask(db, accountId, { ...fields, dueAt });
  await Promise.all(Array.from({ length: 8 }, () => oweReminder(stack, task.id)));
  await allSettled();
  expect(smtp.received).toHaveLength(1);
  const [mail] = smtp.received;
  expect(mail?.to).toEqual([{ name: '', address: email }]);
  expect(mail?.subject).toBe('Due: File taxes');
  expect(mail?.text).toContain(dueAt.toISOString());
  const reminded = await db.task.findUniqueOrThrow({ where: { id: task.id } });
  expect(reminded.remindedAt).not.toBeNull();
  expect(reminded.version).toBe(task.version);
  expect(await db.event.findMany()).toMatchObject([
    { accountId, type: 'task.due', data: taskView(task), requestId: null },
  ]);
});

test('a task that is done, postponed, without a date or gone reminds nobody', async () => {
  const stack = await startStack();
  const { db, smtp, startWorker, allSettled } = stack;
  await startWorker();
  const { accountId } = await createTestAccount(db);
  const past = new Date(Date.now() - MINUTE_MS);
  const done = await createTask(db, accountId, { ...fields, status: 'DONE', dueAt: past });
  const later = new Date(Date.now() + MINUTE_MS);
  const postponed = await createTask(db, accountId, { ...fields, dueAt: later });
  const undated = await createTask(db, accountId, { ...fields, dueAt: null });
  const gone = await createTask(db, accountId, { ...fields, dueAt: past });
  await db.task.delete({ where: { id: gone.id } });
  for (const { id } of [done, postponed, undated, gone]) await oweReminder(stack, id);
  await allSettled();
  expect(smtp.attempts).toBe(0);
  expect([await db.email.count(), await db.event.count()]).toEqual([0, 0]);
  expect(await db.task.count({ where: { remindedAt: { not: null } } })).toBe(0);
});

test('a reminder waits in Postgres until it is due, and comes then', async () => {
  const stack = await startStack();
  const { db, queues, smtp, startWorker, allSettled } = stack;
  await startWorker();
  const { accountId } = await createTestAccount(db);
  const dueAt = new Date(Date.now() + 2_000);
  const task = await createTask(db, accountId, { ...fields, dueAt });
  await oweReminder(stack, task.id, dueAt);
  expect(await db.job.findFirstOrThrow()).toMatchObject({ state: 'waiting', runAt: dueAt });
  await allSettled();
  expect(Date.now()).toBeGreaterThanOrEqual(dueAt.getTime());
  expect(smtp.received).toHaveLength(1);
  const [carried] = await queues.tasks.getCompleted();
  expect(carried?.timestamp).toBeGreaterThanOrEqual(dueAt.getTime());
});
