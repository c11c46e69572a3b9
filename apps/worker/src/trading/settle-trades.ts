import type { Transaction } from '@gatehouse/db/client';
import { insertLedgerTransactions } from '@gatehouse/db/ledger';
import { insertFills, saveOrders } from '@gatehouse/db/orders';
import { savePositions } from '@gatehouse/db/positions';
import { openTradeBooks, positionKey, type TradeBooks } from '@gatehouse/db/trade-books';
import type { JobLedger } from '@gatehouse/jobs/ledger';
import { queueEmails } from '../mail/queue-emails.ts';
import type { BatchEffect } from '../settlement.ts';
import { confirmationOf } from './confirmation.ts';
import { type Trade, type TradeRequest, tradeOrder } from './trade.ts';

/**
 * Trades any number of orders in the caller's transaction, one after the other in memory, and writes what comes of
 * them, each kind of row in one statement: fills, positions, money, orders and the owners' confirmations.
 *
 * Under the locks of all their accounts: of several transactions at once each sees what the one before left.
 *
 * @throws when an order is not there, or a row breaks a rule of the database: then nothing of the batch is done
 */
export function createTradeSettlement(ledger: JobLedger): BatchEffect<TradeRequest> {
  return async (tx, requests) => {
    const books = await openTradeBooks(tx, requests);
    const trades = requests.flatMap((request) => tradeOrder(books, request) ?? []);
    if (trades.length > 0) await write(tx, ledger, books, trades);
  };
}

async function write(
  tx: Transaction,
  ledger: JobLedger,
  books: TradeBooks,
  trades: readonly Trade[],
): Promise<void> {
  const at = new Date();
  const fills = trades.flatMap(({ fill }) => fill ?? []);
  const traded = new Set(trades.map(({ order }) => order.id));
  await saveOrders(
    tx,
    [...books.orders.values()].filter(({ id }) => traded.has(id)),
    at,
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
  return trades.flatMap(({ order, request }) => {
    const recipient = accounts.get(order.accountId)?.email;
    if (order.status !== 'filled' || recipient === undefined) return [];
    const email = confirmationOf(order, { recipient, filledAt: request.at });
    return [{ email, requestId: request.requestId }];
  });
}
