import { isId } from '@gatehouse/domain/id';
import { lockAccounts } from './accounts.ts';
import type { Queryable, Transaction } from './client.ts';
import { type StoredDeposit, toDeposit, WITH_DISPUTES } from './deposit-rows.ts';

/** By which a payment tells its deposit: by its own id, or by ours when we do not know it yet. Either may be anything. */
export interface DepositReference {
  paymentIntentId: string | null;
  depositId: string | null;
}

/** Deposits as they are by now. They and their accounts are locked until the transaction ends, so that they stay so. */
export interface DepositBooks {
  /** The deposit of a payment; null when it is none of ours. */
  find(reference: DepositReference): StoredDeposit | null;
  /** The address of the owner of an account that has one of the deposits. */
  recipientOf(accountId: string): string;
  /** Takes note of what became of one. */
  put(deposit: StoredDeposit): void;
}

/**
 * Opens the books of all that the references lead to, in a few statements.
 *
 * All accounts are locked first, by id, and then the deposits, by id: whoever trades and whoever deposits take turns, and
 * none wait for each other in a circle.
 */
export async function openDepositBooks(
  tx: Transaction,
  references: readonly DepositReference[],
): Promise<DepositBooks> {
  const referred = await findReferred(tx, references);
  const accountIds = [...new Set(referred.map(({ accountId }) => accountId))];
  const accounts = accountIds.length === 0 ? [] : await lockAccounts(tx, accountIds);
  const recipients = new Map(accounts.map(({ id, email }) => [id, email]));
  const byId = new Map<string, StoredDeposit>();
  const byPayment = new Map<string, StoredDeposit>();
  const put = (deposit: StoredDeposit): void => {
    byId.set(deposit.id, deposit);
    if (deposit.paymentIntentId !== null) byPayment.set(deposit.paymentIntentId, deposit);
  };
  const ids = referred.map(({ id }) => id);
  for (const deposit of await lockAll(tx, ids)) put(deposit);
  return {
    find: ({ paymentIntentId, depositId }) =>
      byPayment.get(paymentIntentId ?? '') ?? byId.get(depositId ?? '') ?? null,
    recipientOf(accountId) {
      const recipient = recipients.get(accountId);
      if (recipient === undefined) throw new Error(`account ${accountId} has no owner`);
      return recipient;
    },
    put,
  };
}

/** Whether there is a deposit that a reference leads to. */
export async function hasDeposit(db: Queryable, reference: DepositReference): Promise<boolean> {
  return (await findReferred(db, [reference])).length > 0;
}

/** Of each payment, whether a refund of its deposit is known to have failed. */
export async function haveFailedRefunds(
  db: Queryable,
  paymentIntentIds: readonly string[],
): Promise<boolean[]> {
  const rows = await db.deposit.findMany({
    where: {
      paymentIntentId: { in: paymentIntentIds.filter(isPrintable) },
      failedRefundAmount: { gt: 0 },
    },
    select: { paymentIntentId: true },
  });
  const failed = new Set(rows.map(({ paymentIntentId }) => paymentIntentId));
  return paymentIntentIds.map((id) => failed.has(id));
}

/** What Stripe sends may be anything, also what PostgreSQL would refuse to look for. */
const isPrintable = (id: string): boolean => /^[\x21-\x7e]+$/.test(id);

async function findReferred(
  db: Queryable,
  references: readonly DepositReference[],
): Promise<{ id: string; accountId: string }[]> {
  const payments = references
    .flatMap(({ paymentIntentId }) => paymentIntentId ?? [])
    .filter(isPrintable);
  const ids = references.flatMap(({ depositId }) => depositId ?? []).filter(isId);
  if (payments.length + ids.length === 0) return [];
  // As a union, so that each half has its index whatever the planner would make of an OR.
  return db.$queryRaw`
    SELECT id, account_id AS "accountId" FROM deposit WHERE payment_intent_id = ANY(${payments}::text[])
    UNION
    SELECT id, account_id FROM deposit WHERE id = ANY(${ids}::uuid[])`;
}

async function lockAll(tx: Transaction, ids: readonly string[]): Promise<StoredDeposit[]> {
  if (ids.length === 0) return [];
  await tx.$executeRaw`
    SELECT 1 FROM deposit WHERE id = ANY(${ids}::uuid[]) ORDER BY id FOR NO KEY UPDATE`;
  const rows = await tx.deposit.findMany({ where: { id: { in: [...ids] } }, ...WITH_DISPUTES });
  return rows.map(toDeposit);
}
