import { type Decimal, type DecimalLike, decimal, ZERO } from '@gatehouse/domain/decimal';
import type { Funds } from '@gatehouse/domain/deposit-entries';
import type { PositionType } from '@gatehouse/domain/order';
import type { Queryable, Transaction } from './client.ts';

export interface StoredAccount {
  id: string;
  currency: string;
  /** Dollars. */
  cash: Decimal;
  /** Dollars. */
  owed: Decimal;
}

/** @throws when there is no such account */
export async function findAccount(db: Queryable, id: string): Promise<StoredAccount> {
  const account = await db.account.findUniqueOrThrow({ where: { id } });
  const { currency, cash, owed } = account;
  return { id, currency, cash: decimal(cash), owed: decimal(owed) };
}

export interface LockedAccount {
  id: string;
  /** Dollars. */
  cash: Decimal;
  /** Dollars that it owes, and cannot buy with. */
  owed: Decimal;
  /** The address of its owner. */
  email: string;
}

/**
 * Makes the transactions that move the money of these accounts take turns. Locked in the order of their ids, so that
 * none wait for each other in a circle.
 *
 * `NO KEY`: new orders refer to their account by a foreign key and need not wait.
 */
export async function lockAccounts(
  tx: Transaction,
  ids: readonly string[],
): Promise<LockedAccount[]> {
  const rows = await tx.$queryRaw<
    (Omit<LockedAccount, 'cash' | 'owed'> & { cash: DecimalLike; owed: DecimalLike })[]
  >`
    SELECT account.id, account.cash, account.owed, "user".email
    FROM account JOIN "user" ON "user".account_id = account.id
    WHERE account.id = ANY(${ids}::uuid[])
    ORDER BY account.id FOR NO KEY UPDATE OF account`;
  return rows.map((row) => ({ ...row, cash: decimal(row.cash), owed: decimal(row.owed) }));
}

/**
 * The cash that buy orders at a broker hold, in dollars: what remains of each at its limit; of a market order at what
 * it is reckoned with, or at its average price so far when the paper broker met too little size.
 */
export async function heldCash(db: Queryable, accountId: string): Promise<Decimal> {
  const holds = await sumHolds(db, [accountId]);
  return holds.reduce((sum, { cash }) => sum.plus(cash), ZERO);
}

/** What bears on movements of the money of accounts, by their ids. Stands still under their locks only. */
export async function readFunds(
  tx: Transaction,
  accountIds: readonly string[],
): Promise<Map<string, Funds>> {
  if (accountIds.length === 0) return new Map();
  const accounts = await tx.account.findMany({ where: { id: { in: [...accountIds] } } });
  const holds = Map.groupBy(await sumHolds(tx, accountIds), ({ accountId }) => accountId);
  return new Map(
    accounts.map(({ id, cash, owed }) => {
      const held = (holds.get(id) ?? []).reduce((sum, hold) => sum.plus(hold.cash), ZERO);
      return [id, { freeCash: decimal(cash).minus(held), owed: decimal(owed) }];
    }),
  );
}

export interface Hold {
  accountId: string;
  symbol: string;
  positionType: PositionType;
  /** Dollars. */
  cash: Decimal;
  /** Shares. */
  quantity: Decimal;
}

/** What the orders of accounts that a broker has, or may have, hold, by position: cash for buys, shares for sells. */
export async function sumHolds(db: Queryable, accountIds: readonly string[]): Promise<Hold[]> {
  const rows = await db.$queryRaw<
    (Omit<Hold, 'cash' | 'quantity'> & { cash: DecimalLike; quantity: DecimalLike })[]
  >`
    SELECT account_id AS "accountId", symbol, position_type AS "positionType",
      COALESCE(sum(ceil((quantity - filled_quantity) * COALESCE(limit_price, hold_price, average_fill_price) * 100) / 100)
        FILTER (WHERE side = 'buy'), 0) AS cash,
      COALESCE(sum(quantity - filled_quantity) FILTER (WHERE side = 'sell'), 0) AS quantity
    FROM "order"
    WHERE account_id = ANY(${accountIds}::uuid[])
      AND broker IS NOT NULL AND status IN ('accepted', 'submitted', 'partially_filled', 'unknown')
    GROUP BY 1, 2, 3`;
  return rows.map((row) => ({ ...row, cash: decimal(row.cash), quantity: decimal(row.quantity) }));
}

/** The person to write to about an account. */
export async function findOwner(
  db: Queryable,
  accountId: string,
): Promise<{ email: string; name: string }> {
  return db.user.findUniqueOrThrow({ where: { accountId }, select: { email: true, name: true } });
}
