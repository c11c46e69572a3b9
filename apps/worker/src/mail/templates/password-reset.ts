import { RESET_TEMPLATE } from '@gatehouse/db/password-resets';
import Type from 'typebox';
import { html } from '../html.ts';
import { layout } from '../layout.ts';
import { defineTemplate } from '../template.ts';

const data = Type.Object({ link: Type.String() });

const BUTTON =
  'display:inline-block;padding:10px 20px;background:#1d4ed8;color:#ffffff;border-radius:6px;text-decoration:none';
const why = 'Somebody, probably you, asked for a new password for your account.';
const otherwise =
  'The link works once, within an hour. If it was not you, do nothing: your password stays as it is.';

/** Lets its reader choose a new password, once. */
export const passwordReset = defineTemplate({
  name: RESET_TEMPLATE,
  data,
  secrets: { link: 'password-reset-link' },
  sample: {
    link: 'https://example.com/password-reset#token=sample',
  },
  subject: () => 'Reset your password',
  text: ({ link }) => `${why}\n\nChoose it here:\n${link}\n\n${otherwise}\n`,
  html: ({ link }) =>
    layout({
      title: 'Reset your password',
      content: html`<p style="margin:0 0 16px">${why}</p>
<p style="margin:0 0 16px"><a href="${link}" style="${BUTTON}">Choose a new password</a></p>
<p style="margin:0">${otherwise}</p>`,
    }),
});
