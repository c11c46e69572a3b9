import Type from 'typebox';
import { defineJob } from '../definition.ts';

/** Takes an owner's wish to cancel to the broker. */
export const cancelTrade = defineJob({
  name: 'cancel-trade',
  queue: 'trades',
  payload: Type.Object({ orderId: Type.String(), accountId: Type.String() }),
  subject: 'orderId',
  retry: { attempts: 12, backoffMs: 500, maxBackoffMs: 60_000 },
});
