import type { Queryable } from './client.ts';
import type { EmailSuppression, Prisma } from './generated/client.ts';
import type { Page } from './page.ts';

export type { EmailSuppression } from './generated/client.ts';

interface SuppressionRequest {
  limit: number;
  /** Of the page before. */
  cursor?: string | undefined;
  /** In any case. */
  address?: string | undefined;
}

/** What a cursor looks like: a time in milliseconds and an address. */
export const SUPPRESSION_CURSOR = '^\\d{1,14}_[^\\u0000]{1,320}$';

/** The addresses that get no mail any more, newest first. */
export async function listSuppressions(
  db: Queryable,
  { limit, cursor, address }: SuppressionRequest,
): Promise<Page<EmailSuppression>> {
  const where: Prisma.EmailSuppressionWhereInput = {
    ...(cursor !== undefined && after(cursor)),
    ...(address !== undefined && { address: address.toLowerCase() }),
  };
  const rows = await db.emailSuppression.findMany({
    where,
    take: limit + 1,
    orderBy: [{ createdAt: 'desc' }, { address: 'asc' }],
  });
  const data = rows.slice(0, limit);
  const last = data.at(-1);
  const hasMore = rows.length > limit;
  return { data, hasMore, nextCursor: hasMore && last ? cursorOf(last) : null };
}

const cursorOf = ({ createdAt, address }: EmailSuppression): string =>
  `${createdAt.getTime()}_${address}`;

function after(cursor: string): Prisma.EmailSuppressionWhereInput {
  const split = cursor.indexOf('_');
  const createdAt = new Date(Number(cursor.slice(0, split)));
  const address = cursor.slice(split + 1);
  return { OR: [{ createdAt: { lt: createdAt } }, { createdAt, address: { gt: address } }] };
}

/** Has an address get mail again. Null when it does already. */
export async function deleteSuppression(
  db: Queryable,
  address: string,
): Promise<EmailSuppression | null> {
  const [deleted] = await db.$queryRaw<EmailSuppression[]>`
    DELETE FROM email_suppression WHERE address = ${address.toLowerCase()}
    RETURNING address, reason, email_id AS "emailId", created_at AS "createdAt"`;
  return deleted ?? null;
}
