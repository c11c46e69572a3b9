import { findUserById, type Role } from '@gatehouse/db/users';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';

const COOKIE = 'admin_session';

/** Seconds that a session in the admin pages lasts. */
const LIFETIME_SECONDS = 8 * 3_600;

export interface AdminSessions {
  start(reply: FastifyReply, userId: string): void;
  end(reply: FastifyReply): void;
  /** Who is signed in, with the role that the database has now; null when nobody is. */
  visitor(request: FastifyRequest): Promise<Visitor | null>;
}

export interface Visitor {
  userId: string;
  role: Exclude<Role, 'user'>;
}

/**
 * Sessions in a signed cookie that only the admin pages get to see. Who it names is looked up at every request, so
 * that a role that was taken away is gone at once.
 */
export function createAdminSessions(app: FastifyInstance, isSecure: boolean): AdminSessions {
  const options = { path: '/admin', httpOnly: true, sameSite: 'strict', secure: isSecure } as const;
  return {
    start(reply, userId) {
      const expiresAt = Date.now() + LIFETIME_SECONDS * 1_000;
      reply.setCookie(COOKIE, `${userId}.${expiresAt}`, {
        ...options,
        signed: true,
        maxAge: LIFETIME_SECONDS,
      });
    },
    end(reply) {
      reply.clearCookie(COOKIE, options);
    },
    async visitor(request) {
      const cookie = request.cookies[COOKIE];
      const { valid, value } =
        cookie === undefined ? { valid: false, value: null } : request.unsignCookie(cookie);
      const [userId, expiresAt] = valid && value !== null ? value.split('.') : [];
      if (userId === undefined || !(Number(expiresAt) > Date.now())) return null;
      const role = (await findUserById(app.db, userId))?.role;
      return role === 'operator' || role === 'admin' ? { userId, role } : null;
    },
  };
}

/**
 * Whether a request was made by a page of our own: what a foreign page has a browser send never is. Clients that are no browsers
 * send none of these headers (OWASP, Cross-Site Request Forgery Prevention: Fetch Metadata, origin).
 */
export function isSameOrigin(request: FastifyRequest): boolean {
  const site = request.headers['sec-fetch-site'];
  if (site !== undefined) return site === 'same-origin' || site === 'none';
  const { origin } = request.headers;
  return origin === undefined || URL.parse(origin)?.host === request.host;
}
