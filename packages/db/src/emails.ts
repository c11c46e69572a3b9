import type { Queryable, Transaction } from './client.ts';
import type { Email } from './generated/client.ts';

export type { Email } from './generated/client.ts';

export interface NewEmail {
  id: string;
  accountId: string;
  recipient: string;
  template: string;
  /** What the template shows: strings only, formatted when the mail was caused. */
  data: Record<string, string>;
}

/** Writes down mails that are owed. The jobs that send them are inserted in the same transaction. */
export async function insertEmails(tx: Transaction, emails: readonly NewEmail[]): Promise<void> {
  if (emails.length === 0) return;
  await tx.$executeRaw`
    INSERT INTO email (id, account_id, recipient, template, data, created_at)
    SELECT *, ${new Date()}::timestamptz FROM unnest(
      ${emails.map((e) => e.id)}::uuid[], ${emails.map((e) => e.accountId)}::uuid[],
      ${emails.map((e) => e.recipient)}::text[], ${emails.map((e) => e.template)}::text[],
      ${emails.map((e) => JSON.stringify(e.data))}::jsonb[])`;
}

/** @throws when there is no such mail */
export async function readEmail(db: Queryable, id: string): Promise<Email> {
  return db.email.findUniqueOrThrow({ where: { id } });
}

/** Decides that a mail is not to be sent. Without effect when it was sent already. */
export async function cancelEmail(tx: Transaction, id: string): Promise<void> {
  await tx.email.updateMany({ where: { id, status: 'queued' }, data: { status: 'canceled' } });
}

export async function markEmailsSent(tx: Transaction, ids: readonly string[]): Promise<void> {
  await tx.$executeRaw`UPDATE email SET status = 'sent', sent_at = now() WHERE id = ANY(${ids}::uuid[])`;
}

/** How many mails of a template an account was owed in the last seconds, sent or not. */
export async function countRecentEmails(
  tx: Transaction,
  { accountId, template, seconds }: { accountId: string; template: string; seconds: number },
): Promise<number> {
  const [{ count } = { count: 0 }] = await tx.$queryRaw<{ count: number }[]>`
    SELECT count(*)::int AS count FROM email
    WHERE account_id = ${accountId}::uuid AND template = ${template}
      AND created_at > now() - make_interval(secs => ${seconds})`;
  return count;
}
