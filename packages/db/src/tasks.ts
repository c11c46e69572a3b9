import { newId } from '@gatehouse/domain/id';
import type { Queryable, Transaction } from './client.ts';
import type { Task, TaskStatus } from './generated/client.ts';
import { type Page, type PageRequest, pageArguments, toPage } from './page.ts';
import { withoutUndefined } from './without-undefined.ts';

export type { Task, TaskStatus } from './generated/client.ts';

export interface TaskFields {
  title: string;
  description: string | null;
  status: TaskStatus;
  priority: number;
  dueAt: Date | null;
}

export async function createTask(
  tx: Queryable,
  accountId: string,
  fields: TaskFields,
): Promise<Task> {
  const createdAt = new Date();
  return tx.task.create({
    data: { id: newId(), accountId, ...fields, createdAt, updatedAt: createdAt },
  });
}

export async function findTask(db: Queryable, accountId: string, id: string): Promise<Task | null> {
  return db.task.findFirst({ where: { id, accountId } });
}

/** A task for the worker, which acts for no account. Null when it was deleted. */
export async function readTask(tx: Transaction, id: string): Promise<Task | null> {
  return tx.task.findUnique({ where: { id } });
}

export interface TaskFilter {
  status?: TaskStatus | undefined;
  priority?: number | undefined;
}

export async function listTasks(
  db: Queryable,
  accountId: string,
  { status, priority }: TaskFilter,
  request: PageRequest,
): Promise<Page<Task>> {
  const { where, ...page } = pageArguments(request);
  const rows = await db.task.findMany({
    ...page,
    where: {
      ...where,
      accountId,
      ...(status && { status }),
      ...(priority !== undefined && { priority }),
    },
  });
  return toPage(rows, request);
}

export type TaskChange = { [K in keyof TaskFields]?: TaskFields[K] | undefined };

/** The task, locked until the transaction ends: what is decided on it is decided on the newest. */
export async function lockTask(
  tx: Transaction,
  accountId: string,
  id: string,
): Promise<Task | null> {
  await tx.$executeRaw`
    SELECT 1 FROM task WHERE id = ${id}::uuid AND account_id = ${accountId}::uuid FOR UPDATE`;
  return findTask(tx, accountId, id);
}

/** Changes a task that the transaction has locked. A member that is undefined stays as it is. */
export async function updateTask(
  tx: Transaction,
  task: Task,
  change: TaskChange & { remindedAt?: null },
): Promise<Task> {
  return tx.task.update({
    where: { id: task.id },
    data: { ...withoutUndefined(change), version: { increment: 1 }, updatedAt: new Date() },
  });
}

export async function deleteTask(tx: Transaction, task: Task): Promise<void> {
  await tx.task.delete({ where: { id: task.id } });
}

/** After a failover the clock may be another's, and behind: a reminder a little early is better than none. */
const CLOCK_SKEW_SECONDS = 5;

export type DueTask = Task & { dueAt: Date };

/**
 * Notes that the owner of a task that is due is reminded, and gives the task; null when there is nothing to be
 * reminded of, now or any more. Of two at once exactly one is given it.
 *
 * Due is what the database's clock says, by which the job has waited: with the caller's, a worker whose clock is
 * behind would settle the job, and nobody would ever be reminded.
 */
export async function takeReminder(tx: Transaction, id: string): Promise<DueTask | null> {
  const taken = await tx.$executeRaw`
    UPDATE task SET reminded_at = now()
    WHERE id = ${id}::uuid AND reminded_at IS NULL AND status <> 'DONE'
      AND due_at <= now() + make_interval(secs => ${CLOCK_SKEW_SECONDS})`;
  const task = taken === 0 ? null : await readTask(tx, id);
  return task?.dueAt ? { ...task, dueAt: task.dueAt } : null;
}

/**
 * Notes that the owner was reminded. Not a change that an `If-Match` should notice.
 *
 * Of two at once exactly one sees true; false too when the task is gone.
 */
export async function markReminded(tx: Transaction, id: string, at: Date): Promise<boolean> {
  const { count } = await tx.task.updateMany({
    where: { id, remindedAt: null },
    data: { remindedAt: at },
  });
  return count === 1;
}
