import Type from 'typebox';
import { DATABASE_RETRY, defineJob } from '../definition.ts';

/** Takes an owner's wish to cancel to the broker. */
export const cancelTrade = defineJob({
  name: 'cancel-trade',
  queue: 'trades',
  payload: Type.Object({ orderId: Type.String(), accountId: Type.String() }),
  subject: 'orderId',
  retry: DATABASE_RETRY,
});
