import Type from 'typebox';
import { DATABASE_RETRY, defineJob } from '../definition.ts';

/** Owes a user a mail that says that his password was changed. */
export const announcePasswordChange = defineJob({
  name: 'announce-password-change',
  queue: 'mail',
  payload: Type.Object({
    userId: Type.String(),
    /** RFC 3339. Not an id, since no row holds it: two changes are two mails, each with its time. */
    changedAt: Type.String(),
  }),
  subject: 'userId',
  retry: DATABASE_RETRY,
});
