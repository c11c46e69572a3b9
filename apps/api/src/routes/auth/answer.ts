import type { User } from '@gatehouse/db/users';
import type { FastifyInstance, FastifyReply } from 'fastify';
import { ACCESS_TOKEN_SECONDS } from '../../auth/tokens.ts';
import type { Opened } from '../../plugins/sessions.ts';

/** What somebody who is let in gets: an access token, and in the cookie the token to refresh it with. */
export async function letIn(
  app: FastifyInstance,
  reply: FastifyReply,
  user: User,
  { sessionId, refreshToken }: Opened,
) {
  app.refreshCookie.set(reply, refreshToken);
  return {
    user,
    accessToken: await app.tokens.issue({ userId: user.id, sessionId }),
    tokenType: 'Bearer' as const,
    expiresIn: ACCESS_TOKEN_SECONDS,
  };
}
