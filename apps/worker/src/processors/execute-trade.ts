import type { Database } from '@gatehouse/db/client';
import { readSymbol } from '@gatehouse/db/orders';
import type { QuoteSource } from '@gatehouse/domain/quote';
import { executeTrade } from '@gatehouse/jobs/definitions/execute-trade';
import { type JobProcessor, processJob } from '../processor.ts';
import type { SettlementGroup } from '../settlement.ts';
import type { TradeRequest } from '../trading/trade.ts';

export interface TradeParts {
  db: Database;
  quotes: QuoteSource;
  trades: SettlementGroup<TradeRequest>;
}

/** Takes an accepted order to the paper broker. An order that is accepted no longer has been there. */
export function createExecuteTrade({ db, quotes, trades }: TradeParts): JobProcessor {
  return processJob(executeTrade, async (payload, { requestId, settleTogether }) => {
    const at = new Date();
    const quote = await quotes.quote(await readSymbol(db, payload.orderId), at);
    await settleTogether(trades, { ...payload, quote, at, from: ['accepted'], requestId });
  });
}
