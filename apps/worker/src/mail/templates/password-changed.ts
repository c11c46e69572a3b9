import Type from 'typebox';
import { defineNotice, type Notice } from '../notice.ts';

const data = Type.Object({
  email: Type.String(),
  /** RFC 3339. */
  changedAt: Type.String(),
});

const TITLE = 'Your password was changed';

const notice = ({ email, changedAt }: Type.Static<typeof data>): Notice => ({
  title: TITLE,
  lead: 'The password of your account was changed. All other sessions were ended.',
  details: [
    ['Account', email],
    ['Time', changedAt],
  ],
  rest: [
    'If it was not you, choose a new password at once: ask for a link with "Forgot password", and read it in this ' +
      'mailbox. Then revoke API keys and delete webhook endpoints that you do not know.',
  ],
});

/** Tells a user that his password was changed, so that he finds out when it was somebody else. */
export const passwordChanged = defineNotice({
  name: 'password-changed',
  data,
  sample: {
    email: 'ada@example.com',
    changedAt: '2026-11-20T08:00:00.000Z',
  },
  subject: () => TITLE,
  notice,
});
