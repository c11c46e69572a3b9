import type { Queryable } from './client.ts';
import type { Email, EmailAttempt, EmailStatus } from './generated/client.ts';
import { type Page, type PageRequest, pageArguments, toPage } from './page.ts';

export type { EmailAttempt, EmailStatus } from './generated/client.ts';

/** A mail as its owner sees it: without its data, which may be more than he is to see again. */
export interface ListedEmail extends Omit<Email, 'data' | 'accountId' | 'unsubscribeToken'> {
  /** When it is tried next; null when it is not. */
  nextAttemptAt: Date | null;
}

export interface ReadEmail extends ListedEmail {
  /** In their order. */
  attempts: Omit<EmailAttempt, 'emailId' | 'id'>[];
}

export interface EmailFilter {
  status?: EmailStatus | undefined;
  template?: string | undefined;
}

const SHOWN = {
  id: true,
  recipient: true,
  template: true,
  status: true,
  createdAt: true,
  sentAt: true,
} as const;

/** The mails of an account, newest first. `jobName`: of the job that sends one. */
export async function listEmails(
  db: Queryable,
  { accountId, jobName }: { accountId: string; jobName: string },
  { status, template }: EmailFilter,
  request: PageRequest,
): Promise<Page<ListedEmail>> {
  const { where, ...page } = pageArguments(request);
  const rows = await db.email.findMany({
    ...page,
    where: { ...where, accountId, ...(status && { status }), ...(template && { template }) },
    select: SHOWN,
  });
  return toPage(await withNextAttempts(db, jobName, rows), request);
}

/** A mail of an account with its attempts, the last hundred of them; null when it has no such mail. */
export async function findEmail(
  db: Queryable,
  { accountId, jobName }: { accountId: string; jobName: string },
  id: string,
): Promise<ReadEmail | null> {
  const row = await db.email.findFirst({
    where: { id, accountId },
    select: {
      ...SHOWN,
      attempts: {
        select: { at: true, outcome: true, replyCode: true, reply: true, durationMs: true },
        orderBy: { id: 'desc' },
        take: 100,
      },
    },
  });
  if (row === null) return null;
  const { attempts, ...listed } = row;
  const [email] = await withNextAttempts(db, jobName, [listed]);
  return email === undefined ? null : { ...email, attempts: attempts.reverse() };
}

async function withNextAttempts<E extends Pick<Email, 'id' | 'status'>>(
  db: Queryable,
  jobName: string,
  emails: readonly E[],
): Promise<(E & { nextAttemptAt: Date | null })[]> {
  const queued = emails.filter(({ status }) => status === 'queued').map(({ id }) => id);
  const jobs =
    queued.length === 0
      ? []
      : await db.job.findMany({
          where: { name: jobName, subjectId: { in: queued }, state: { not: 'dead' } },
          select: { subjectId: true, runAt: true },
        });
  const next = new Map(jobs.map(({ subjectId, runAt }) => [subjectId, runAt]));
  return emails.map((email) => ({ ...email, nextAttemptAt: next.get(email.id) ?? null }));
}

/** Whose the mail is that shows a token, and of which template; null when no mail does. */
export async function findUnsubscriber(
  db: Queryable,
  unsubscribeToken: string,
): Promise<Pick<Email, 'accountId' | 'template'> | null> {
  return db.email.findUnique({
    where: { unsubscribeToken },
    select: { accountId: true, template: true },
  });
}
