import type { EmailCategory } from '@gatehouse/domain/email-category';
import type { Queryable, Transaction } from './client.ts';

/** Whether the owner of an account wants the mails of a category. */
export async function isWanted(
  db: Queryable,
  accountId: string,
  category: EmailCategory,
): Promise<boolean> {
  return (await db.emailOptOut.count({ where: { accountId, category } })) === 0;
}

export interface Wish {
  accountId: string;
  category: EmailCategory;
  isWanted: boolean;
}

/** Writes down whether the owner of an account wants the mails of a category. The same wish again changes nothing. */
export async function setWish(
  tx: Transaction,
  { accountId, category, isWanted: wanted }: Wish,
): Promise<void> {
  if (wanted) await tx.emailOptOut.deleteMany({ where: { accountId, category } });
  else await tx.emailOptOut.createMany({ data: [{ accountId, category }], skipDuplicates: true });
}
