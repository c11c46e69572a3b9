import { type Decimal, type DecimalLike, decimal, formatMoney } from '@gatehouse/domain/decimal';
import { newId } from '@gatehouse/domain/id';
import { assertBalanced, type LedgerEntry, type LedgerName } from '@gatehouse/domain/ledger';
import type { Queryable, Transaction } from './client.ts';
import { insertEvents, type NewEvent } from './events.ts';
import type { LedgerKind } from './generated/client.ts';
import { type Page, type PageRequest, pageArguments, toPage } from './page.ts';

export interface NewLedgerTransaction {
  accountId: string;
  kind: LedgerKind;
  /** The fill, or the movement of a deposit, that caused it; null for a grant. */
  referenceId: string | null;
  entries: readonly LedgerEntry[];
  at: Date;
  /** What the event of a changed debt is traced back to. */
  requestId: string | null;
}

/**
 * Writes balanced sets of entries and moves the balances of their accounts: cash by the `cash` parts, what they owe by
 * the `payable` ones, which are negative when it gets more. An account that owes another amount afterwards is told so.
 *
 * @throws {UnbalancedEntries}
 */
export async function insertLedgerTransactions(
  tx: Transaction,
  transactions: readonly NewLedgerTransaction[],
): Promise<void> {
  if (transactions.length === 0) return;
  const rows = transactions.map((transaction) => ({ id: newId(), ...transaction }));
  const entries = rows.flatMap(({ id, accountId, entries: set, at }) => {
    assertBalanced(set);
    return set.map((entry) => ({ ...entry, id: newId(), transactionId: id, accountId, at }));
  });
  await tx.$executeRaw`
    INSERT INTO ledger_transaction (id, account_id, kind, reference_id, created_at)
    SELECT * FROM unnest(
      ${rows.map((t) => t.id)}::uuid[], ${rows.map((t) => t.accountId)}::uuid[],
      ${rows.map((t) => t.kind)}::ledger_kind[], ${rows.map((t) => t.referenceId)}::uuid[],
      ${rows.map((t) => t.at)}::timestamptz[])`;
  const moved = await tx.$queryRaw<MovedAccount[]>`
    WITH inserted AS (
      INSERT INTO ledger_entry (id, transaction_id, account_id, ledger, amount, created_at)
      SELECT * FROM unnest(
        ${entries.map((e) => e.id)}::uuid[], ${entries.map((e) => e.transactionId)}::uuid[],
        ${entries.map((e) => e.accountId)}::uuid[], ${entries.map((e) => e.ledger)}::ledger_name[],
        ${entries.map((e) => formatMoney(e.amount))}::numeric[], ${entries.map((e) => e.at)}::timestamptz[])
      RETURNING account_id, ledger, amount
    )
    UPDATE account SET cash = account.cash + moved.cash, owed = owed - moved.payable
    FROM (
      SELECT account_id, COALESCE(sum(amount) FILTER (WHERE ledger = 'cash'), 0) AS cash,
        COALESCE(sum(amount) FILTER (WHERE ledger = 'payable'), 0) AS payable
      FROM inserted WHERE ledger IN ('cash', 'payable') GROUP BY 1
    ) AS moved
    WHERE account.id = moved.account_id
    RETURNING account.id, account.currency, account.cash, account.owed, moved.payable <> 0 AS "isOwedChanged"`;
  await insertEvents(
    tx,
    moved
      .filter(({ isOwedChanged }) => isOwedChanged)
      .map((account) => owedEvent(account, transactions)),
  );
}

interface MovedAccount {
  id: string;
  currency: string;
  cash: DecimalLike;
  owed: DecimalLike;
  isOwedChanged: boolean;
}

/** Traced back to the last that touched what is owed. */
function owedEvent(
  { id: accountId, currency, cash, owed }: MovedAccount,
  transactions: readonly NewLedgerTransaction[],
): NewEvent {
  const cause = transactions.findLast(
    (one) => one.accountId === accountId && one.entries.some(({ ledger }) => ledger === 'payable'),
  );
  if (cause === undefined) throw new Error(`nothing moved what account ${accountId} owes`);
  const data = { currency, cash: formatMoney(decimal(cash)), owed: formatMoney(decimal(owed)) };
  const { requestId, at } = cause;
  return { id: newId(), accountId, type: 'account.owed_changed', data, requestId, at };
}

export interface StoredLedgerEntry {
  id: string;
  transactionId: string;
  kind: LedgerKind;
  referenceId: string | null;
  ledger: LedgerName;
  amount: Decimal;
  createdAt: Date;
}

export async function listLedgerEntries(
  db: Queryable,
  accountId: string,
  request: PageRequest,
): Promise<Page<StoredLedgerEntry>> {
  const { where, ...page } = pageArguments(request);
  const rows = await db.ledgerEntry.findMany({
    ...page,
    where: { ...where, accountId },
    include: { transaction: { select: { kind: true, referenceId: true } } },
  });
  return toPage(
    rows.map(({ transaction, amount, ...entry }) => ({
      ...entry,
      ...transaction,
      amount: decimal(amount),
    })),
    request,
  );
}
