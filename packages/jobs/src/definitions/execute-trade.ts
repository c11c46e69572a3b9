import Type from 'typebox';
import { DATABASE_RETRY, defineJob } from '../definition.ts';

/** Takes an accepted order to the broker. */
export const executeTrade = defineJob({
  name: 'execute-trade',
  queue: 'trades',
  payload: Type.Object({ orderId: Type.String(), accountId: Type.String() }),
  subject: 'orderId',
  retry: DATABASE_RETRY,
});
