import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { MIN_PASSWORD_LENGTH } from '../../auth/password-length.ts';
import { formPage } from '../../form-page.ts';

const SCRIPT_PATH = '/password-reset.js';

/** Where the links in reset mails lead. The page never sees the token: it is in the fragment, for its script alone. */
const plugin: FastifyPluginAsyncTypebox = async (app) => {
  const script = await readFile(join(import.meta.dirname, 'browser.js'), 'utf8');
  // No maxlength: it counts in other units, and cuts what is pasted without a word.
  const length = `minlength="${MIN_PASSWORD_LENGTH}"`;
  const field = `type="password" autocomplete="new-password" ${length} required`;
  const page = formPage({
    title: 'choose a new password',
    script: SCRIPT_PATH,
    content: `<form>
  <h1>Choose a new password</h1>
  <noscript><p>This page needs JavaScript.</p></noscript>
  <p role="alert" hidden></p>
  <label>New password <input name="password" ${field} autofocus></label>
  <label>The same again <input name="again" ${field}></label>
  <button>Set the password</button>
</form>`,
  });

  app.addHook('onRoute', (route) => {
    route.schema = { ...route.schema, hide: true };
  });
  app.get('/password-reset', async (_request, reply) =>
    reply.type('text/html; charset=utf-8').send(page),
  );
  app.get(SCRIPT_PATH, async (_request, reply) =>
    reply.type('text/javascript; charset=utf-8').send(script),
  );
};

export default plugin;
