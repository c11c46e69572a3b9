import type { DepositFacts } from '@gatehouse/domain/deposit';
import { depositView } from '@gatehouse/domain/deposit-view';
import { newId } from '@gatehouse/domain/id';
import type { Transaction } from './client.ts';
import { type DepositChange, type Hearing, hearFacts } from './deposit-changes.ts';
import { type Posting, postOwedMovements } from './deposit-movements.ts';
import type { StoredDeposit } from './deposit-rows.ts';
import { saveDeposits } from './deposit-writes.ts';
import { insertEvents } from './events.ts';

/** A change that is written. */
export type Heard<C extends DepositChange = DepositChange> = C & Posting;

/**
 * Merges what was heard into a deposit that the transaction has locked, posts to the ledger what follows from all that is
 * known, and writes the events. Without effect when all of it was known: facts may be heard in any order and any number
 * of times.
 *
 * @throws when the deposit has another payment, or a dispute of another deposit is meant
 */
export async function applyDepositFacts(
  tx: Transaction,
  before: StoredDeposit,
  facts: DepositFacts,
  hearing: Hearing,
): Promise<Heard> {
  const change = hearFacts(before, facts, hearing);
  const [heard] = await writeChanges(tx, [change]);
  if (heard === undefined) throw new Error('a change was not written');
  return heard;
}

/**
 * Writes what was heard of deposits that the transaction has locked, each kind of row in one statement: the same as one
 * change after the other. Of several of a deposit each goes on from the one before.
 *
 * @throws when a dispute of another deposit is meant
 */
export async function writeChanges<C extends DepositChange>(
  tx: Transaction,
  changes: readonly C[],
): Promise<readonly Heard<C>[]> {
  await saveDeposits(tx, changes);
  const heard = await postOwedMovements(tx, changes);
  await insertEvents(tx, changes.flatMap(eventsOf));
  return heard;
}

function eventsOf({ deposit, news, at, requestId }: DepositChange) {
  if (news.length === 0) return [];
  const { accountId } = deposit;
  const data = depositView(deposit);
  return news.map((type) => ({ id: newId(), accountId, type, data, requestId, at }));
}
