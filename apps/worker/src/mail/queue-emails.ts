import type { Transaction } from '@gatehouse/db/client';
import { insertEmails, type NewEmail } from '@gatehouse/db/emails';
import { sendEmail } from '@gatehouse/jobs/definitions/send-email';
import type { JobLedger } from '@gatehouse/jobs/ledger';

export interface QueuedEmail {
  email: NewEmail;
  /** The request that caused it. */
  requestId: string | null;
}

/** Owes mails: writes them down with the jobs that send them, in the transaction of what causes them. */
export async function queueEmails(
  tx: Transaction,
  ledger: JobLedger,
  queued: readonly QueuedEmail[],
): Promise<void> {
  await insertEmails(
    tx,
    queued.map(({ email }) => email),
  );
  await ledger.enqueueAll(
    tx,
    sendEmail,
    queued.map(({ email, requestId }) => ({ payload: { emailId: email.id }, requestId })),
  );
}
