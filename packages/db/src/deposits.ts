import type { Queryable, Transaction } from './client.ts';
import { type DepositReference, openDepositBooks } from './deposit-books.ts';
import { type StoredDeposit, toDeposit, WITH_DISPUTES } from './deposit-rows.ts';
import { type Page, type PageRequest, pageArguments, toPage } from './page.ts';

export type { StoredDeposit } from './deposit-rows.ts';

export type NewDeposit = Pick<StoredDeposit, 'id' | 'accountId' | 'amount' | 'currency'>;

/** A deposit in another currency than its account's. */
export class WrongCurrency extends Error {
  override readonly name = 'WrongCurrency';
}

/**
 * Inserts a deposit that is being made.
 *
 * @throws {WrongCurrency}
 */
export async function insertDeposit(
  tx: Transaction,
  { id, accountId, amount, currency }: NewDeposit,
): Promise<StoredDeposit> {
  const account = await tx.account.findUniqueOrThrow({ where: { id: accountId } });
  if (account.currency.toLowerCase() !== currency) {
    throw new WrongCurrency(`account ${accountId} has ${account.currency}, not ${currency}`);
  }
  // Prisma would write the time of the process: `mayCreatePayment` judges by that of the database.
  await tx.$executeRaw`
    INSERT INTO deposit (id, account_id, amount, currency)
    VALUES (${id}::uuid, ${accountId}::uuid, ${amount}, ${currency})`;
  return toDeposit(await tx.deposit.findUniqueOrThrow({ where: { id }, ...WITH_DISPUTES }));
}

export async function findDeposit(
  db: Queryable,
  accountId: string,
  id: string,
): Promise<StoredDeposit | null> {
  const row = await db.deposit.findFirst({ where: { id, accountId }, ...WITH_DISPUTES });
  return row && toDeposit(row);
}

export async function listDeposits(
  db: Queryable,
  accountId: string,
  request: PageRequest,
): Promise<Page<StoredDeposit>> {
  const { where, ...page } = pageArguments(request);
  const rows = await db.deposit.findMany({
    ...page,
    where: { ...where, accountId },
    ...WITH_DISPUTES,
  });
  return toPage(rows.map(toDeposit), request);
}

/**
 * Whether the payment of a deposit may (still) be asked for, by the clock of the database. Stripe keeps an idempotency
 * key for a day at least: later it may have forgotten that it was asked, and would make a second payment. Nobody has the
 * client secret of the first, so that it can never be paid.
 */
export async function mayCreatePayment(db: Queryable, id: string): Promise<boolean> {
  const [found] = await db.$queryRaw<{ isInTime: boolean }[]>`
    SELECT created_at > now() - interval '23 hours' AS "isInTime" FROM deposit WHERE id = ${id}::uuid`;
  return found?.isInTime ?? false;
}

/**
 * A deposit as it is by now, which is locked until the transaction ends, and so is its account: what is decided on it is
 * decided on the newest, and its account's money is there to be moved. Null when there is none.
 */
export async function lockDeposit(
  tx: Transaction,
  by: { id: string } | { paymentIntentId: string },
): Promise<StoredDeposit | null> {
  const reference: DepositReference =
    'id' in by
      ? { paymentIntentId: null, depositId: by.id }
      : { paymentIntentId: by.paymentIntentId, depositId: null };
  return (await openDepositBooks(tx, [reference])).find(reference);
}
