import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { findEmail, listEmails } from '@gatehouse/db/email-reads';
import { sendEmail } from '@gatehouse/jobs/definitions/send-email';
import { NotFound } from '../../errors.ts';
import { IdParams, PageOf, problems } from '../../schemas.ts';
import { Email, EmailQuery, ListedEmail } from './schemas.ts';

const plugin: FastifyPluginAsyncTypebox = async (app) => {
  const mailsOf = (accountId: string) => ({ accountId, jobName: sendEmail.name });

  app.get(
    '/v1/emails',
    {
      config: { access: 'account:read' },
      schema: {
        tags: ['Mail'],
        summary: 'List the mails to you, newest first',
        querystring: EmailQuery,
        response: { 200: PageOf(ListedEmail), ...problems(401, 403) },
      },
    },
    ({ principal, query }) => listEmails(app.db, mailsOf(principal.accountId), query, query),
  );

  app.get(
    '/v1/emails/:id',
    {
      config: { access: 'account:read', etag: true },
      schema: {
        tags: ['Mail'],
        summary: 'Read what became of a mail, with every attempt to send it',
        params: IdParams,
        response: { 200: Email, ...problems(401, 403, 404) },
      },
    },
    async ({ principal, params }) => {
      const email = await findEmail(app.db, mailsOf(principal.accountId), params.id);
      if (email === null) throw new NotFound('mail');
      return email;
    },
  );
};

export default plugin;
