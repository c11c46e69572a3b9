import type { Queryable, Transaction } from './client.ts';
import type { EmailOutcome } from './generated/client.ts';

export type { EmailOutcome } from './generated/client.ts';

/** What came of taking a mail to the mail server, which is just over. */
export interface NewEmailAttempt {
  id: string;
  emailId: string;
  outcome: EmailOutcome;
  /** Of SMTP; null when none came. */
  replyCode: number | null;
  /** Without null bytes. */
  reply: string | null;
  durationMs: number;
}

/** Writes attempts down. They began as long ago as they took, by the database's clock. */
export async function insertEmailAttempts(
  db: Queryable,
  attempts: readonly NewEmailAttempt[],
): Promise<void> {
  if (attempts.length === 0) return;
  await db.$executeRaw`
    INSERT INTO email_attempt (email_id, id, at, outcome, reply_code, reply, duration_ms)
    SELECT email_id, id, clock_timestamp() - duration_ms * interval '1 millisecond', outcome, reply_code, reply,
      duration_ms
    FROM unnest(
      ${attempts.map((a) => a.emailId)}::uuid[], ${attempts.map((a) => a.id)}::uuid[],
      ${attempts.map((a) => a.outcome)}::email_outcome[], ${attempts.map((a) => a.replyCode)}::smallint[],
      ${attempts.map((a) => a.reply)}::text[], ${attempts.map((a) => a.durationMs)}::int[]
    ) AS input (email_id, id, outcome, reply_code, reply, duration_ms)`;
}

/** Writes down that the mail server has taken these mails, with the attempts in which it did. */
export async function recordSentEmails(
  tx: Transaction,
  attempts: readonly NewEmailAttempt[],
): Promise<void> {
  const ids = attempts.map(({ emailId }) => emailId);
  await tx.$executeRaw`
    UPDATE email SET status = 'sent', sent_at = clock_timestamp() WHERE id = ANY(${ids}::uuid[])`;
  await insertEmailAttempts(tx, attempts);
}

/** A mail that was refused for good. */
export interface RefusedEmail {
  attempt: NewEmailAttempt;
  /** The address that takes no mail at all, if it was that; it gets none from now on. */
  deadAddress: string | null;
}

/** Writes down that a mail was refused for good, and why. */
export async function recordRefusedEmail(
  tx: Transaction,
  { attempt, deadAddress }: RefusedEmail,
): Promise<void> {
  const { emailId, reply } = attempt;
  await tx.email.updateMany({
    where: { id: emailId, status: 'queued' },
    data: { status: 'failed' },
  });
  await insertEmailAttempts(tx, [attempt]);
  if (deadAddress === null) return;
  await tx.emailSuppression.createMany({
    data: [{ address: deadAddress.toLowerCase(), reason: reply ?? '', emailId }],
    skipDuplicates: true,
  });
}
