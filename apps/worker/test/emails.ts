import { transaction } from '@gatehouse/db/transaction';
import { createTestAccount } from '@gatehouse/testing/fixtures';
import { composeEmail } from '../src/mail/compose-email.ts';
import { queueEmails } from '../src/mail/queue-emails.ts';
import { taskReminder } from '../src/mail/templates/task-reminder.ts';
import type { TestStack } from './stack.ts';

/** Owes somebody a mail with this title in its subject. */
export async function oweEmail({ db, ledger }: TestStack, title: string): Promise<void> {
  const { accountId, email } = await createTestAccount(db);
  await transaction(db, (tx) =>
    queueEmails(tx, ledger, [
      {
        requestId: 'request-1',
        email: composeEmail(taskReminder, {
          accountId,
          recipient: email,
          data: { taskId: accountId, title, dueAt: '2026-11-20T08:00:00.000Z' },
        }),
      },
    ]),
  );
}
