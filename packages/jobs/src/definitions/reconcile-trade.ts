import Type from 'typebox';
import { defineJob } from '../definition.ts';

/**
 * Asks a broker outside what became of an order that it has, or may have. While the order is open each round owes the
 * next. About six hours of failures: a broker that is known to be away counts as none.
 */
export const reconcileTrade = defineJob({
  name: 'reconcile-trade',
  queue: 'trades',
  payload: Type.Object({ orderId: Type.String(), accountId: Type.String() }),
  subject: 'orderId',
  retry: { attempts: 100, backoffMs: 500, maxBackoffMs: 300_000 },
});
