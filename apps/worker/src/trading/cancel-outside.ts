import type { Transaction } from '@gatehouse/db/client';
import { bringForward } from '@gatehouse/db/debts';
import type { OrderRoute } from '@gatehouse/db/orders';
import { openTradeBooks } from '@gatehouse/db/trade-books';
import { isTerminal } from '@gatehouse/domain/order';
import { reconcileTrade } from '@gatehouse/jobs/definitions/reconcile-trade';
import type { JobLedger } from '@gatehouse/jobs/ledger';
import { NotYet } from '../not-yet.ts';
import type { JobContext } from '../processor.ts';
import { reach, unlessBrokerIsAway } from './ask-broker.ts';
import { carryOut, entryOf, NOT_TAKEN } from './carry-out.ts';
import type { OutsideParts } from './execute-outside.ts';
import { STAYS } from './plan.ts';
import { writeTrades } from './write-trades.ts';

/** Milliseconds until it is worth another look whether a broker has confirmed an order. */
const UNCONFIRMED_RETRY_MS = 1_000;

interface Ids {
  orderId: string;
  accountId: string;
}

/**
 * Takes a wish to cancel to a broker outside, and has reconcile-trade look at once what became of it: the order may
 * have been filled meanwhile. An order that nobody was asked to buy or sell yet is canceled here.
 *
 * @throws {NotYet} when the broker is away, or has not confirmed that it has the order
 */
export async function cancelOutside(
  { ledger, broker }: OutsideParts,
  ids: Ids,
  route: OrderRoute,
  { requestId, signal, isOwed, settle }: JobContext,
): Promise<void> {
  if (isTerminal(route.status)) {
    await settle(async () => undefined);
    return;
  }
  if (route.broker === null) {
    await settle((tx) => cancelUntaken(tx, ledger, ids, requestId));
    return;
  }
  const outside = reach(broker, route.broker);
  const { brokerOrderId } = route;
  if (brokerOrderId === null) throw unconfirmed(route.broker);
  if (!(await isOwed())) return;
  await unlessBrokerIsAway(() => outside.cancel(brokerOrderId, signal));
  await settle((tx) => bringForward(tx, reconcileTrade.name, ids.orderId));
}

async function cancelUntaken(
  tx: Transaction,
  ledger: JobLedger,
  ids: Ids,
  requestId: string | null,
): Promise<void> {
  const books = await openTradeBooks(tx, [ids]);
  const { order } = entryOf(books, ids);
  if (isTerminal(order.status)) return;
  // Its execute-trade was faster.
  if (order.broker !== null) throw unconfirmed(order.broker);
  const plan = { ...STAYS, path: ['canceled'] as const };
  const trade = carryOut(books, order, { ...NOT_TAKEN, plan, at: new Date(), requestId });
  await writeTrades(tx, ledger, books, trade === null ? [] : [trade]);
}

function unconfirmed(broker: string): NotYet {
  return new NotYet(`${broker} has not confirmed that it has the order`, UNCONFIRMED_RETRY_MS);
}
