import { readSymbol } from '@gatehouse/db/orders';
import { OPEN_STATUSES } from '@gatehouse/domain/order';
import { cancelTrade } from '@gatehouse/jobs/definitions/cancel-trade';
import { type JobProcessor, processJob } from '../processor.ts';
import type { TradeParts } from './execute-trade.ts';

/** Takes a wish to cancel to the paper broker, which grants it for all that is not filled yet. */
export function createCancelTrade({ db, quotes, trades }: TradeParts): JobProcessor {
  return processJob(cancelTrade, async (payload, { requestId, settleTogether }) => {
    const at = new Date();
    const quote = await quotes.quote(await readSymbol(db, payload.orderId), at);
    await settleTogether(trades, { ...payload, quote, at, from: OPEN_STATUSES, requestId });
  });
}
