import { emailCategory, isRefusable } from '@gatehouse/domain/email-category';
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

/**
 * Writes down mails that are owed. The jobs that send them are inserted in the same transaction. One that its reader may
 * want no more of gets a token of its own for that, which only the mail itself shows: its id is seen in more places.
 */
export async function insertEmails(tx: Transaction, emails: readonly NewEmail[]): Promise<void> {
  if (emails.length === 0) return;
  await tx.$executeRaw`
    INSERT INTO email (id, account_id, recipient, template, data, unsubscribe_token, created_at)
    SELECT *, ${new Date()}::timestamptz FROM unnest(
      ${emails.map((e) => e.id)}::uuid[], ${emails.map((e) => e.accountId)}::uuid[],
      ${emails.map((e) => e.recipient)}::text[], ${emails.map((e) => e.template)}::text[],
      ${emails.map((e) => JSON.stringify(e.data))}::jsonb[],
      ${emails.map(newUnsubscribeToken)}::uuid[])`;
}

function newUnsubscribeToken({ template }: NewEmail): string | null {
  return isRefusable(emailCategory(template)) ? crypto.randomUUID() : null;
}

/** A mail with what decides whether it is sent at all. */
export interface OutgoingEmail extends Omit<Email, 'createdAt' | 'sentAt'> {
  /** Whether its address refused mail for good. */
  isSuppressed: boolean;
  /** Of categories: what the owner of its account does not want. */
  unwanted: string[];
}

/** The mails of these ids; null where there is none. */
export async function readOutgoingEmails(
  db: Queryable,
  ids: readonly string[],
): Promise<(OutgoingEmail | null)[]> {
  const rows = await db.$queryRaw<OutgoingEmail[]>`
    SELECT e.id, e.account_id AS "accountId", e.recipient, e.template, e.data, e.status,
      e.unsubscribe_token AS "unsubscribeToken", s.address IS NOT NULL AS "isSuppressed",
      ARRAY(SELECT o.category FROM email_opt_out o WHERE o.account_id = e.account_id) AS unwanted
    FROM email e LEFT JOIN email_suppression s ON s.address = lower(e.recipient)
    WHERE e.id = ANY(${ids}::uuid[])`;
  const found = new Map(rows.map((row) => [row.id, row]));
  return ids.map((id) => found.get(id) ?? null);
}

/** Decides that a mail is not to be sent. Without effect when it was sent already. */
export async function cancelEmail(tx: Transaction, id: string): Promise<void> {
  await tx.email.updateMany({ where: { id, status: 'queued' }, data: { status: 'canceled' } });
}

/** Decides that a mail is not tried, since its address refuses mail. */
export async function suppressEmail(tx: Transaction, id: string): Promise<void> {
  await tx.email.updateMany({ where: { id, status: 'queued' }, data: { status: 'suppressed' } });
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
