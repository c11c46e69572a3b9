import type { Decimal } from '@gatehouse/domain/decimal';
import { MOVEMENT_KINDS, type Movement, owedMovements } from '@gatehouse/domain/deposit';
import { type Funds, postMovement } from '@gatehouse/domain/deposit-entries';
import { newId } from '@gatehouse/domain/id';
import { readFunds } from './accounts.ts';
import type { Transaction } from './client.ts';
import type { DepositChange } from './deposit-changes.ts';
import { insertLedgerTransactions, type NewLedgerTransaction } from './ledger.ts';

/** A movement in the books, with what it did to what the account owes. In dollars. */
export interface MovementMade extends Movement {
  /** Of money that came in, how much paid what was owed; of money that went out, how much is owed, as cash was missing. */
  debt: Decimal;
  /** What the account owes after it. */
  owed: Decimal;
}

/** What was posted for a change. */
export interface Posting {
  movements: readonly MovementMade[];
  /** Dollars that the account owes after it; null when nobody had to look, as no money was ever spoken of. */
  owed: Decimal | null;
}

/** A movement of money as it is written down, and its ledger transaction. */
interface NewMovement {
  row: Movement & { id: string; depositId: string; at: Date };
  ledgerTransaction: NewLedgerTransaction;
}

/**
 * Posts what is to be posted for changes, one after the other, given what is known by each and what was posted before.
 * Under the locks of the accounts: what is free of their cash stays free until the transaction ends, and what a movement
 * leaves of it is there for the next.
 *
 * @throws when more was posted than is known
 */
export async function postOwedMovements<C extends DepositChange>(
  tx: Transaction,
  changes: readonly C[],
): Promise<readonly (C & Posting)[]> {
  const moving = changes.filter(mayMove).map(({ deposit }) => deposit);
  const posted = await readMovements(tx, [...new Set(moving.map(({ id }) => id))]);
  const funds = await readFunds(tx, [...new Set(moving.map(({ accountId }) => accountId))]);
  const made: NewMovement[] = [];
  const heard = changes.map((change): C & Posting => {
    const { accountId, id } = change.deposit;
    const before = funds.get(accountId);
    if (before === undefined || !mayMove(change)) return { ...change, movements: [], owed: null };
    const known = posted.get(id) ?? [];
    let after = before;
    const movements = owedMovements(change.deposit, known).map((movement): MovementMade => {
      const { owed } = after;
      after = post(change, movement, after, made);
      return { ...movement, debt: after.owed.minus(owed).abs(), owed: after.owed };
    });
    posted.set(id, [...known, ...movements]);
    funds.set(accountId, after);
    return { ...change, movements, owed: after.owed };
  });
  await insertMovements(tx, made);
  await insertLedgerTransactions(
    tx,
    made.map(({ ledgerTransaction }) => ledgerTransaction),
  );
  return heard;
}

/** Whether something is new of a deposit of which money was spoken. */
function mayMove({ before, deposit }: DepositChange): boolean {
  const { receivedAmount, refundedAmount, disputes } = deposit;
  return deposit !== before && (receivedAmount > 0 || refundedAmount > 0 || disputes.length > 0);
}

/** Makes a movement, and returns what it leaves of the funds. */
function post(
  { deposit, at, requestId }: DepositChange,
  movement: Movement,
  before: Funds,
  made: NewMovement[],
): Funds {
  const { id: depositId, accountId } = deposit;
  const { entries, funds } = postMovement(movement, before);
  const id = newId();
  const ledgerTransaction = {
    accountId,
    kind: movement.kind,
    referenceId: id,
    entries,
    at,
    requestId,
  };
  made.push({ row: { ...movement, id, depositId, at }, ledgerTransaction });
  return funds;
}

async function insertMovements(tx: Transaction, made: readonly NewMovement[]): Promise<void> {
  if (made.length === 0) return;
  const rows = made.map(({ row }) => row);
  await tx.$executeRaw`
    INSERT INTO deposit_movement (id, deposit_id, kind, amount, dispute_id, created_at)
    SELECT * FROM unnest(
      ${rows.map((m) => m.id)}::uuid[], ${rows.map((m) => m.depositId)}::uuid[],
      ${rows.map((m) => m.kind)}::ledger_kind[], ${rows.map((m) => m.amount)}::int[],
      ${rows.map((m) => m.disputeId)}::text[], ${rows.map((m) => m.at)}::timestamptz[])`;
}

/** What was posted for deposits, by their ids. */
async function readMovements(
  tx: Transaction,
  depositIds: readonly string[],
): Promise<Map<string, readonly Movement[]>> {
  if (depositIds.length === 0) return new Map();
  const rows = await tx.depositMovement.findMany({ where: { depositId: { in: [...depositIds] } } });
  const byDeposit = Map.groupBy(rows, ({ depositId }) => depositId);
  return new Map([...byDeposit].map(([id, own]) => [id, own.map(toMovement)]));
}

function toMovement({
  kind: name,
  amount,
  disputeId,
}: {
  kind: string;
  amount: number;
  disputeId: string | null;
}): Movement {
  const kind = MOVEMENT_KINDS.find((known) => known === name);
  if (kind === undefined) throw new Error(`nothing of a deposit is posted as ${name}`);
  return { kind, amount, disputeId };
}
