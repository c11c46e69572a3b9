import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { createUser, findUserByEmail, type User } from '@gatehouse/db/users';
import { decimal } from '@gatehouse/domain/decimal';
import { dummyHash, hashPassword, verifyPassword } from '../../auth/passwords.ts';
import { ACCESS_TOKEN_SECONDS } from '../../auth/tokens.ts';
import type { Config } from '../../config.ts';
import { EmailTaken, InvalidCredentials } from '../../errors.ts';
import { problems } from '../../schemas.ts';
import { Jwks, Login, Registration, Session } from './schemas.ts';

const plugin: FastifyPluginAsyncTypebox<{ config: Config }> = async (app, { config }) => {
  await dummyHash();

  const sessionOf = async (user: User) => ({
    user,
    accessToken: await app.tokens.issue(user),
    tokenType: 'Bearer' as const,
    expiresIn: ACCESS_TOKEN_SECONDS,
  });

  app.post(
    '/v1/auth/register',
    {
      config: { access: 'public', rateLimit: false },
      onRequest: app.limitAttempts,
      schema: {
        tags: ['Identity'],
        summary: 'Register, with a paper account',
        body: Registration,
        response: { 201: Session, ...problems(409, 413, 415) },
      },
    },
    async (request, reply) => {
      const { email, password, name } = request.body;
      const user = await createUser(app.db, {
        email: email.toLowerCase(),
        name,
        passwordHash: await hashPassword(password),
        startingCash: config.BROKER === 'paper' ? decimal(config.PAPER_STARTING_CASH) : null,
      });
      if (user === null) throw new EmailTaken();
      return reply
        .code(201)
        .header('cache-control', 'no-store')
        .send(await sessionOf(user));
    },
  );

  app.post(
    '/v1/auth/login',
    {
      config: { access: 'public', rateLimit: false },
      onRequest: app.limitAttempts,
      schema: {
        tags: ['Identity'],
        summary: 'Log in',
        body: Login,
        response: { 200: Session, ...problems(401, 413, 415) },
      },
    },
    async (request, reply) => {
      const { email, password } = request.body;
      const user = await findUserByEmail(app.db, email.toLowerCase());
      const isRight = await verifyPassword(password, user?.passwordHash ?? null);
      if (user === null || !isRight) throw new InvalidCredentials();
      return reply.header('cache-control', 'no-store').send(await sessionOf(user));
    },
  );

  app.get(
    '/.well-known/jwks.json',
    {
      schema: {
        tags: ['Identity'],
        summary: 'The public keys of access tokens',
        response: { 200: Jwks },
      },
    },
    async (_request, reply) =>
      reply.header('cache-control', 'public, max-age=300').send(app.tokens.jwks),
  );
};

export default plugin;
