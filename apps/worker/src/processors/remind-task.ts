import { findOwner } from '@gatehouse/db/accounts';
import type { Transaction } from '@gatehouse/db/client';
import { markReminded, readTask, type Task } from '@gatehouse/db/tasks';
import { remindTask } from '@gatehouse/jobs/definitions/remind-task';
import type { JobLedger } from '@gatehouse/jobs/ledger';
import { composeEmail } from '../mail/compose-email.ts';
import { queueEmails } from '../mail/queue-emails.ts';
import { taskReminder } from '../mail/templates/task-reminder.ts';
import { type JobProcessor, processJob } from '../processor.ts';

/** The clocks of the gateway, the database and the worker may differ by this: a job a little early is not wrong. */
const CLOCK_SKEW_MS = 5_000;

/** Owes the owner of a due task a mail, once per task. */
export function createRemindTask({ ledger }: { ledger: JobLedger }): JobProcessor {
  return processJob(remindTask, async ({ taskId }, { requestId, settle }) => {
    await settle((tx) => remind(tx, ledger, taskId, requestId));
  });
}

async function remind(
  tx: Transaction,
  ledger: JobLedger,
  taskId: string,
  requestId: string | null,
): Promise<void> {
  const at = new Date();
  const task = await readTask(tx, taskId);
  if (task === null) return;
  const dueAt = dueDate(task, at);
  if (dueAt === null || !(await markReminded(tx, task.id, at))) return;
  const { email } = await findOwner(tx, task.accountId);
  const reminder = composeEmail(taskReminder, {
    accountId: task.accountId,
    recipient: email,
    data: { taskId: task.id, title: task.title, dueAt: dueAt.toISOString() },
  });
  await queueEmails(tx, ledger, [{ email: reminder, requestId }]);
}

/** When the task was due; null when there is nothing to be reminded of, now or any more. */
function dueDate({ status, remindedAt, dueAt }: Task, at: Date): Date | null {
  if (status === 'DONE' || remindedAt !== null || dueAt === null) return null;
  return dueAt.getTime() <= at.getTime() + CLOCK_SKEW_MS ? dueAt : null;
}
