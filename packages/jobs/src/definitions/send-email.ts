import Type from 'typebox';
import { defineJob } from '../definition.ts';

/** Sends a mail that was written down. About three days of attempts: a mail server may be down over a weekend. */
export const sendEmail = defineJob({
  name: 'send-email',
  queue: 'mail',
  payload: Type.Object({ emailId: Type.String() }),
  subject: 'emailId',
  retry: { attempts: 110, backoffMs: 1_000, maxBackoffMs: 3_600_000 },
});
