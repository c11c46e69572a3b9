import Type from 'typebox';
import { defineJob } from '../definition.ts';

/** Takes an accepted order to the broker. */
export const executeTrade = defineJob({
  name: 'execute-trade',
  queue: 'trades',
  payload: Type.Object({ orderId: Type.String(), accountId: Type.String() }),
  subject: 'orderId',
  retry: { attempts: 12, backoffMs: 500, maxBackoffMs: 60_000 },
});
