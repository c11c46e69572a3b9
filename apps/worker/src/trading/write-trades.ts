import type { Transaction } from '@gatehouse/db/client';
import { insertEvents } from '@gatehouse/db/events';
import { insertLedgerTransactions } from '@gatehouse/db/ledger';
import { orderEvent } from '@gatehouse/db/order-events';
import { insertFills, saveOrders } from '@gatehouse/db/orders';
import { savePositions } from '@gatehouse/db/positions';
import { positionKey, type TradeBooks } from '@gatehouse/db/trade-books';
import type { JobLedger } from '@gatehouse/jobs/ledger';
import { queueEmails } from '../mail/queue-emails.ts';
import type { Trade } from './carry-out.ts';
import { confirmationOf } from './confirmation.ts';

/**
 * Writes what came of trades, in the transaction that opened the books, each kind of row in one statement: fills,
 * positions, money, orders, the events of them and the owners' confirmations.
 */
export async function writeTrades(
  tx: Transaction,
  ledger: JobLedger,
  books: TradeBooks,
  trades: readonly Trade[],
): Promise<void> {
  if (trades.length === 0) return;
  const at = new Date();
  const fills = trades.flatMap(({ fill }) => fill ?? []);
  const traded = new Set(trades.map(({ order }) => order.id));
  await saveOrders(
    tx,
    [...books.orders.values()].filter(({ id }) => traded.has(id)),
    at,
  );
  await insertEvents(
    tx,
    trades.map(({ order, requestId }) => orderEvent(order, { at, requestId })),
  );
  await insertFills(tx, fills);
  await savePositions(tx, changedPositions(books, trades), at);
  await insertLedgerTransactions(
    tx,
    trades.flatMap(({ ledgerTransaction }) => ledgerTransaction ?? []),
  );
  await queueEmails(tx, ledger, confirmations(books, trades));
}

/** Each position that a fill has changed, once, as the last of them leaves it. */
function changedPositions({ accounts }: TradeBooks, trades: readonly Trade[]) {
  const changed = new Map(
    trades
      .filter(({ fill }) => fill !== null)
      .map(({ order }) => [`${order.accountId} ${positionKey(order)}`, order]),
  );
  return [...changed.values()].flatMap((order) => {
    const { accountId, symbol, positionType } = order;
    const book = accounts.get(accountId)?.positions.get(positionKey(order));
    return book === undefined ? [] : [{ accountId, symbol, positionType, ...book.position }];
  });
}

function confirmations({ accounts }: TradeBooks, trades: readonly Trade[]) {
  return trades.flatMap(({ order, at, requestId }) => {
    const recipient = accounts.get(order.accountId)?.email;
    if (order.status !== 'filled' || recipient === undefined) return [];
    return [{ email: confirmationOf(order, { recipient, filledAt: at }), requestId }];
  });
}
