import type { Actor } from '@gatehouse/db/audit';
import type { FastifyRequest } from 'fastify';

/** More of it tells nobody more. */
const USER_AGENT_AT_MOST = 300;

export function userAgentOf(request: FastifyRequest): string | null {
  return request.headers['user-agent']?.slice(0, USER_AGENT_AT_MOST) ?? null;
}

type Who = Pick<Actor, 'actorId' | 'credential' | 'credentialId'>;

/** A user in a session: for a route that finds out by itself who is behind a request. */
export function inSession(userId: string, sessionId: string): Who {
  return { actorId: userId, credential: 'session', credentialId: sessionId };
}

/** Who acts with a request, for the audit log: by its credentials, or who turned out to be behind it. */
export function actorOf(request: FastifyRequest, who: Who = authenticated(request)): Actor {
  return {
    ...who,
    address: request.ip,
    userAgent: userAgentOf(request),
    requestId: request.id,
  };
}

function authenticated({ authenticated: principal }: FastifyRequest): Who {
  return principal === null
    ? { actorId: null, credential: 'none', credentialId: null }
    : {
        actorId: principal.userId,
        credential: principal.credential,
        credentialId: principal.credentialId,
      };
}
