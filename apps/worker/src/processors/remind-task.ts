import { findOwner } from '@gatehouse/db/accounts';
import type { Transaction } from '@gatehouse/db/client';
import { insertEvents } from '@gatehouse/db/events';
import { takeReminder } from '@gatehouse/db/tasks';
import { newId } from '@gatehouse/domain/id';
import { taskView } from '@gatehouse/domain/task-view';
import { remindTask } from '@gatehouse/jobs/definitions/remind-task';
import type { JobLedger } from '@gatehouse/jobs/ledger';
import { composeEmail } from '../mail/compose-email.ts';
import { queueEmails } from '../mail/queue-emails.ts';
import { taskReminder } from '../mail/templates/task-reminder.ts';
import { type JobProcessor, processJob } from '../processor.ts';

/** Owes the owner of a due task a mail, and tells his listeners, once per task. */
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
  const task = await takeReminder(tx, taskId);
  if (task === null) return;
  const { email } = await findOwner(tx, task.accountId);
  const reminder = composeEmail(taskReminder, {
    accountId: task.accountId,
    recipient: email,
    data: { taskId: task.id, title: task.title, dueAt: task.dueAt.toISOString() },
  });
  await queueEmails(tx, ledger, [{ email: reminder, requestId }]);
  await insertEvents(tx, [
    {
      id: newId(),
      accountId: task.accountId,
      type: 'task.due',
      data: taskView(task),
      requestId,
      at: new Date(),
    },
  ]);
}
