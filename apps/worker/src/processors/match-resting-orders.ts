import type { Database } from '@gatehouse/db/client';
import { listRestingOrders, type StoredOrder } from '@gatehouse/db/orders';
import { transaction } from '@gatehouse/db/transaction';
import { match } from '@gatehouse/domain/matching';
import type { OrderStatus } from '@gatehouse/domain/order';
import type { Quote, QuoteSource } from '@gatehouse/domain/quote';
import { matchRestingOrders } from '@gatehouse/jobs/definitions/match-resting-orders';
import type { Logger } from 'pino';
import { processSchedule, type ScheduleProcessor } from '../processor.ts';
import type { BatchEffect } from '../settlement.ts';
import { toMatchable } from '../trading/plan.ts';
import type { TradeRequest } from '../trading/trade.ts';

const PAGE = 200;
const RESTING: readonly OrderStatus[] = ['submitted', 'partially_filled'];

export interface MatchRestingOrdersParts {
  db: Database;
  quotes: QuoteSource;
  settleTrades: BatchEffect<TradeRequest>;
}

/**
 * Tries every order that rests at the paper broker at one quote per symbol, those of a page in one transaction. When that fails each is
 * tried alone; one that fails then is logged, and tried again in the next round.
 *
 * Rounds in several workers do no harm: under its account's lock each order is read anew.
 */
export function createMatchRestingOrders(parts: MatchRestingOrdersParts): ScheduleProcessor {
  let isRunning = false;
  return processSchedule(matchRestingOrders, async ({ signal, log }) => {
    // A round that takes longer than the period stands for those that come due meanwhile.
    if (isRunning) return;
    isRunning = true;
    try {
      await matchAll(parts, signal, log);
    } finally {
      isRunning = false;
    }
  });
}

async function matchAll(
  parts: MatchRestingOrdersParts,
  signal: AbortSignal,
  log: Logger,
): Promise<void> {
  const at = new Date();
  const quoteOf = quotesOfRound(parts.quotes, at, log);
  let after: string | null = null;
  while (!signal.aborted) {
    const orders: StoredOrder[] = await listRestingOrders(parts.db, 'paper', {
      after,
      limit: PAGE,
    });
    const requests: TradeRequest[] = [];
    for (const order of orders) {
      const quote = await quoteOf(order.symbol);
      if (quote === null || !mayMove(order, quote, at)) continue;
      const { id: orderId, accountId } = order;
      requests.push({ orderId, accountId, quote, at, from: RESTING, requestId: null });
    }
    if (requests.length > 0) await tradeAll(parts, requests, log);
    after = orders.at(-1)?.id ?? null;
    if (orders.length < PAGE) return;
  }
}

async function tradeAll(
  { db, settleTrades }: Omit<MatchRestingOrdersParts, 'quotes'>,
  requests: readonly TradeRequest[],
  log: Logger,
): Promise<void> {
  try {
    await transaction(db, (tx) => settleTrades(tx, requests));
  } catch (error) {
    const [first] = requests;
    if (requests.length === 1) {
      log.warn({ err: error, orderId: first?.orderId }, 'a resting order could not be tried');
      return;
    }
    for (const one of requests) await tradeAll({ db, settleTrades }, [one], log);
  }
}

/** Whether a transaction is worth its while: most resting orders stay where they are. */
function mayMove(order: StoredOrder, quote: Quote, at: Date): boolean {
  return order.cancelRequestedAt !== null || match(toMatchable(order), quote, at).action !== 'rest';
}

/** Asks once per symbol. Null for a symbol that has no quote now; its orders wait for the next round. */
function quotesOfRound(quotes: QuoteSource, at: Date, log: Logger) {
  const asked = new Map<string, Promise<Quote | null>>();
  return (symbol: string): Promise<Quote | null> => {
    const known = asked.get(symbol);
    if (known !== undefined) return known;
    const quote = quotes.quote(symbol, at).catch((error: unknown) => {
      log.warn({ err: error, symbol }, 'there is no quote');
      return null;
    });
    asked.set(symbol, quote);
    return quote;
  };
}
