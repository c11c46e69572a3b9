import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { recordAct } from '@gatehouse/db/audit';
import { createUser, isEmailTaken } from '@gatehouse/db/users';
import { actorOf } from '../../auth/actor.ts';
import { newUser } from '../../auth/new-user.ts';
import { oweResetMail } from '../../auth/owed-mails.ts';
import { assertGoodPassword } from '../../auth/password-policy.ts';
import type { Config } from '../../config.ts';
import { EmailTaken, Forbidden } from '../../errors.ts';
import { idempotencyHeader, problems } from '../../schemas.ts';
import { CreatedUser, ManagedUser } from './schemas.ts';

export const create: FastifyPluginAsyncTypebox<{ config: Config }> = async (app, { config }) => {
  app.post(
    '/v1/users',
    {
      config: { access: 'admin', idempotency: 'sealed' },
      schema: {
        tags: ['Identity'],
        summary: 'Create a user, with an account as a registration gives it',
        description: 'Without a password he gets a mail with which he chooses one.',
        headers: idempotencyHeader(false),
        body: CreatedUser,
        response: { 201: ManagedUser, ...problems(401, 403, 409, 413, 415) },
      },
    },
    async (request, reply) => {
      const { password, ...fields } = request.body;
      if (password !== undefined) assertGoodPassword(password, fields);
      const user = await newUser(config, request.body);
      app.once(request, reply, async (tx) => {
        // The password may have waited to be hashed.
        if ((await app.identify(request))?.role !== 'admin') {
          throw new Forbidden('This needs the role admin');
        }
        const created = await createUser(tx, user).catch((error: unknown) => {
          throw isEmailTaken(error) ? new EmailTaken() : error;
        });
        const { id, email, name, role } = created;
        await recordAct(tx, actorOf(request), {
          action: 'user.created',
          subjectType: 'user',
          subjectId: id,
          details: { email, name, role },
        });
        if (password === undefined) await oweResetMail(app, tx, { email, requestId: request.id });
        return { status: 201, body: created, location: `/v1/users/${id}` };
      });
      return reply;
    },
  );
};
