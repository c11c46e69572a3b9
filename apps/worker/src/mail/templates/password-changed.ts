import Type from 'typebox';
import { html } from '../html.ts';
import { detailLines, detailTable, layout } from '../layout.ts';
import { defineTemplate } from '../template.ts';

const data = Type.Object({
  email: Type.String(),
  /** RFC 3339. */
  changedAt: Type.String(),
});

const rows = ({ email, changedAt }: Type.Static<typeof data>) =>
  [
    ['Account', email],
    ['Time', changedAt],
  ] as const;

const done = 'The password of your account was changed. All other sessions were ended.';
const otherwise =
  'If it was not you, choose a new password at once: ask for a link with "Forgot password", and read it in this ' +
  'mailbox. Then revoke API keys and delete webhook endpoints that you do not know.';

/** Tells a user that his password was changed, so that he finds out when it was somebody else. */
export const passwordChanged = defineTemplate({
  name: 'password-changed',
  data,
  sample: {
    email: 'ada@example.com',
    changedAt: '2026-11-20T08:00:00.000Z',
  },
  subject: () => 'Your password was changed',
  text: (change) => `${done}\n\n${detailLines(rows(change))}\n\n${otherwise}\n`,
  html: (change) =>
    layout({
      title: 'Your password was changed',
      content: html`<p style="margin:0 0 16px">${done}</p>
${detailTable(rows(change))}
<p style="margin:16px 0 0">${otherwise}</p>`,
    }),
});
