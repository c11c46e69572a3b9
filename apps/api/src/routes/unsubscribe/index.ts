import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { setWish } from '@gatehouse/db/email-opt-outs';
import { findUnsubscriber } from '@gatehouse/db/email-reads';
import { type EmailCategory, emailCategory, isRefusable } from '@gatehouse/domain/email-category';
import Type from 'typebox';
import { NotFound } from '../../errors.ts';
import { unsubscribedPage, unsubscribePage } from './page.ts';

const HTML = 'text/html; charset=utf-8';
const FORM_LIMIT_BYTES = 4_096;

const schema = { params: Type.Object({ token: Type.String({ format: 'uuid' }) }) };

/**
 * Where the links in reminders lead. A mail program posts there by itself when its user presses its button, with no
 * cookies (RFC 8058); whoever follows the link sees a page with a button, so that a scanner that follows it as well
 * changes nothing.
 *
 * The token is in that mail alone. Whoever has it can turn reminders off, and sees nothing of anybody: who turns them on
 * again says who he is, at `/v1/email-preferences`.
 */
const plugin: FastifyPluginAsyncTypebox = async (app) => {
  app.addHook('onRoute', (route) => {
    route.schema = { ...route.schema, hide: true };
  });
  app.removeAllContentTypeParsers();
  // Of whatever type: it says nothing that the URL does not.
  app.addContentTypeParser('*', { parseAs: 'string' }, (_request, _body, done) => done(null));

  /** @throws {NotFound} when no mail shows the token that somebody may refuse */
  const refused = async (
    token: string,
  ): Promise<{ accountId: string; category: EmailCategory }> => {
    const owner = await findUnsubscriber(app.db, token);
    if (owner === null || !isRefusable(emailCategory(owner.template)))
      throw new NotFound('mail that one can unsubscribe from');
    return { accountId: owner.accountId, category: emailCategory(owner.template) };
  };

  app.get('/unsubscribe/:token', { schema }, async ({ params }, reply) => {
    await refused(params.token);
    return reply.type(HTML).send(unsubscribePage(params.token));
  });

  app.post(
    '/unsubscribe/:token',
    { schema, bodyLimit: FORM_LIMIT_BYTES },
    async ({ params }, reply) => {
      const mails = await refused(params.token);
      await app.transaction((tx) => setWish(tx, { ...mails, isWanted: false }));
      return reply.type(HTML).send(unsubscribedPage());
    },
  );
};

export default plugin;
