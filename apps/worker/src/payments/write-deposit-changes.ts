import type { Transaction } from '@gatehouse/db/client';
import type { DepositBooks } from '@gatehouse/db/deposit-books';
import type { DepositChange } from '@gatehouse/db/deposit-changes';
import { type Heard, writeChanges } from '@gatehouse/db/deposit-facts';
import type { JobLedger } from '@gatehouse/jobs/ledger';
import { queueEmails } from '../mail/queue-emails.ts';
import { depositMails } from './deposit-mails.ts';

/**
 * Writes what was heard of deposits, in the transaction that opened the books, with the mails that their owners are owed
 * for what of it was new. Returns what came of each change.
 */
export async function writeDepositChanges<C extends DepositChange>(
  tx: Transaction,
  ledger: JobLedger,
  books: DepositBooks,
  changes: readonly C[],
): Promise<readonly Heard<C>[]> {
  const written = await writeChanges(tx, changes);
  const mails = written.flatMap((heard) =>
    depositMails(heard, books.recipientOf(heard.deposit.accountId)).map((email) => ({
      email,
      requestId: heard.requestId,
    })),
  );
  await queueEmails(tx, ledger, mails);
  return written;
}
