import Type from 'typebox';
import { DATABASE_RETRY, defineJob } from '../definition.ts';

/** Finds out whose the address is that somebody forgot the password of, and owes him a mail. */
export const requestPasswordReset = defineJob({
  name: 'request-password-reset',
  queue: 'mail',
  payload: Type.Object({ resetRequestId: Type.String() }),
  subject: 'resetRequestId',
  retry: DATABASE_RETRY,
});
