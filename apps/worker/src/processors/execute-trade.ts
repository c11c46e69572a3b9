import { readRoute } from '@gatehouse/db/orders';
import type { BrokerName } from '@gatehouse/domain/broker';
import { executeTrade } from '@gatehouse/jobs/definitions/execute-trade';
import { type JobProcessor, processJob } from '../processor.ts';
import type { SettlementGroup } from '../settlement.ts';
import { executeOutside, type OutsideParts } from '../trading/execute-outside.ts';
import type { TradeRequest } from '../trading/trade.ts';

export interface TradeParts extends OutsideParts {
  /** Who is given orders that nobody has yet. */
  brokerOfNewOrders: BrokerName;
  /** The paper broker. */
  trades: SettlementGroup<TradeRequest>;
}

/** Takes an accepted order to its broker. An order that is accepted no longer has been there. */
export function createExecuteTrade(parts: TradeParts): JobProcessor {
  const { db, quotes, trades, brokerOfNewOrders } = parts;
  return processJob(executeTrade, async (payload, context) => {
    const route = await readRoute(db, payload.orderId);
    const broker = route.broker ?? brokerOfNewOrders;
    if (broker !== 'paper') {
      await executeOutside(parts, payload, { ...route, broker }, context);
      return;
    }
    const at = new Date();
    const quote = await quotes.quote(route.symbol, at);
    const { requestId, settleTogether } = context;
    await settleTogether(trades, { ...payload, quote, at, from: ['accepted'], requestId });
  });
}
