import type { Transaction } from '@gatehouse/db/client';
import { isOwed } from '@gatehouse/db/debts';
import type { OrderWithFills } from '@gatehouse/db/orders';
import { openTradeBooks } from '@gatehouse/db/trade-books';
import { isOpen } from '@gatehouse/domain/order';
import { reconcileTrade } from '@gatehouse/jobs/definitions/reconcile-trade';
import type { JobLedger } from '@gatehouse/jobs/ledger';
import { carryOut, entryOf, type Step } from './carry-out.ts';
import { executionIdOf, type Outcome, planOutcome } from './outcome.ts';
import { reconcileDelayMs } from './reconcile-delay.ts';
import { writeTrades } from './write-trades.ts';

export interface Answered {
  orderId: string;
  accountId: string;
  outcome: Outcome;
  at: Date;
  /** What the next look, and a confirmation, are traced back to. */
  requestId: string | null;
}

/**
 * Writes what a broker outside has answered, in the transaction that settles the job which has asked, under the locks
 * of the account and the order. An order that is still open is owed its next reconcile-trade: exactly one, since two
 * who owe it take turns by these locks.
 *
 * @throws {IllegalTransition} when the answer contradicts what is known
 */
export async function recordOutcome(
  tx: Transaction,
  ledger: JobLedger,
  { orderId, accountId, outcome, at, requestId }: Answered,
): Promise<void> {
  const ids = { orderId, accountId };
  const books = await openTradeBooks(tx, [ids]);
  const { order } = entryOf(books, ids);
  const plan = planOutcome(order, outcome);
  const trade = carryOut(books, order, { plan, ...takenFrom(order, outcome), at, requestId });
  await writeTrades(tx, ledger, books, trade === null ? [] : [trade]);

  const { order: now } = entryOf(books, ids);
  if (!isOpen(now.status) || (await isOwed(tx, reconcileTrade.name, orderId))) return;
  const delayMs = reconcileDelayMs(now, at);
  await ledger.enqueue(tx, reconcileTrade, ids, { requestId, delayMs });
}

function takenFrom(
  { broker, brokerOrderId }: OrderWithFills,
  outcome: Outcome,
): Pick<Step, 'executionId' | 'takenAs'> {
  if (outcome.kind !== 'reported') return { executionId: '', takenAs: { broker, brokerOrderId } };
  const { report } = outcome;
  return {
    executionId: executionIdOf(broker ?? '', report),
    takenAs: { broker, brokerOrderId: report.id },
  };
}
