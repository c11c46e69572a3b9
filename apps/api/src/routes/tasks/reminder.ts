import type { Transaction } from '@gatehouse/db/client';
import { withdrawJobs } from '@gatehouse/db/jobs';
import type { Task } from '@gatehouse/db/tasks';
import { remindTask } from '@gatehouse/jobs/definitions/remind-task';
import type { JobLedger } from '@gatehouse/jobs/ledger';

/** Of a task, where more is more urgent; of jobs 0 goes first. */
const HIGHEST_TASK_PRIORITY = 9;

/** Leaves a task with the one reminder that it should have, in the transaction that changes the task. */
export async function scheduleReminder(
  jobs: JobLedger,
  tx: Transaction,
  task: Task,
  requestId: string,
): Promise<void> {
  await withdrawJobs(tx, remindTask.name, task.id);
  if (task.dueAt === null || task.status === 'DONE' || task.remindedAt !== null) return;
  await jobs.enqueue(
    tx,
    remindTask,
    { taskId: task.id },
    { requestId, runAt: task.dueAt, priority: HIGHEST_TASK_PRIORITY - task.priority },
  );
}
