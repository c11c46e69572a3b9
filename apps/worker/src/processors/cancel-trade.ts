import { readRoute } from '@gatehouse/db/orders';
import { OPEN_STATUSES } from '@gatehouse/domain/order';
import { cancelTrade } from '@gatehouse/jobs/definitions/cancel-trade';
import { type JobProcessor, processJob } from '../processor.ts';
import { cancelOutside } from '../trading/cancel-outside.ts';
import type { TradeParts } from './execute-trade.ts';

/** Takes a wish to cancel to the order's broker. The paper broker grants it for all that is not filled yet. */
export function createCancelTrade(parts: TradeParts): JobProcessor {
  const { db, quotes, trades, brokerOfNewOrders } = parts;
  return processJob(cancelTrade, async (payload, context) => {
    const route = await readRoute(db, payload.orderId);
    if ((route.broker ?? brokerOfNewOrders) !== 'paper') {
      await cancelOutside(parts, payload, route, context);
      return;
    }
    const at = new Date();
    const quote = await quotes.quote(route.symbol, at);
    const { requestId, settleTogether } = context;
    await settleTogether(trades, { ...payload, quote, at, from: OPEN_STATUSES, requestId });
  });
}
