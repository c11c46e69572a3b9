import { openTradeBooks } from '@gatehouse/db/trade-books';
import type { JobLedger } from '@gatehouse/jobs/ledger';
import type { BatchEffect } from '../settlement.ts';
import { type TradeRequest, tradeOrder } from './trade.ts';
import { writeTrades } from './write-trades.ts';

/**
 * Trades any number of orders with the paper broker in the caller's transaction, one after the other in memory, and
 * writes what comes of them.
 *
 * Under the locks of all their accounts: of several transactions at once each sees what the one before left.
 *
 * @throws when an order is not there, or a row breaks a rule of the database: then nothing of the batch is done
 */
export function createTradeSettlement(ledger: JobLedger): BatchEffect<TradeRequest> {
  return async (tx, requests) => {
    const books = await openTradeBooks(tx, requests);
    const trades = requests.flatMap((request) => tradeOrder(books, request) ?? []);
    await writeTrades(tx, ledger, books, trades);
  };
}
