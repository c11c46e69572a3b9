import type { Transaction } from '@gatehouse/db/client';
import type { Role } from '@gatehouse/db/users';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';

const COOKIE = 'admin_session';

/** Seconds that a session in the admin pages lasts. */
const LIFETIME_SECONDS = 8 * 3_600;

export interface AdminSessions {
  /** Opens a session in the transaction, and returns what to tell the browser once it is committed. */
  open(
    tx: Transaction,
    request: FastifyRequest,
    userId: string,
  ): Promise<{ sessionId: string; setCookie(reply: FastifyReply): void }>;
  clearCookie(reply: FastifyReply): void;
  /** Who is signed in, with the role that he has now; null when nobody is, or nobody who may see the pages. */
  visitor(request: FastifyRequest): Promise<Visitor | null>;
}

export interface Visitor {
  userId: string;
  sessionId: string;
  role: Exclude<Role, 'user'>;
}

/** Sessions like any other, listed and revoked with them, in a signed cookie that only the admin pages get to see. */
export function createAdminSessions(app: FastifyInstance): AdminSessions {
  const options = {
    path: '/admin',
    httpOnly: true,
    sameSite: 'strict',
    secure: app.hasSecureCookies,
  } as const;
  return {
    async open(tx, request, userId) {
      const sessionId = await app.sessions.openFor(tx, request, userId, LIFETIME_SECONDS);
      return {
        sessionId,
        setCookie: (reply) =>
          void reply.setCookie(COOKIE, sessionId, {
            ...options,
            signed: true,
            maxAge: LIFETIME_SECONDS,
          }),
      };
    },
    clearCookie: (reply) => void reply.clearCookie(COOKIE, options),
    async visitor(request) {
      const cookie = request.cookies[COOKIE];
      const { valid, value } =
        cookie === undefined ? { valid: false, value: null } : request.unsignCookie(cookie);
      const session = valid && value !== null ? await app.sessions.find(value) : null;
      if (session === null || session.role === 'user') return null;
      return { userId: session.userId, sessionId: session.id, role: session.role };
    },
  };
}
