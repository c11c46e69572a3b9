import type { Role } from '@gatehouse/db/users';
import type { FastifyRequest } from 'fastify';
import fp from 'fastify-plugin';
import { isApiKey } from '../auth/api-keys.ts';
import type { Principal } from '../auth/principal.ts';
import type { Scope } from '../auth/scopes.ts';

/**
 * Who may call a route: anybody; whose credentials have the scope; a signed-in person, also of a role. `refresh`: who
 * has a refresh token, which the route looks at itself.
 */
export type Access = 'public' | 'refresh' | Scope | 'session' | Exclude<Role, 'user'>;

declare module 'fastify' {
  interface FastifyInstance {
    /** Who a request's bearer credential stands for; null when it has none that is good. */
    identify(request: FastifyRequest): Promise<Principal | null>;
  }
  interface FastifyRequest {
    /** Who makes the request. Reading it on a public route throws. */
    readonly principal: Principal;
    /** Null on a public route, and until the credentials are found to be good. */
    authenticated: Principal | null;
  }
  interface FastifyContextConfig {
    /** Every route under `/v1` says who may call it. */
    access?: Access;
  }
}

/**
 * Finds out who makes a request, before its body is read. What he may do, the plugin `access` says, once his requests
 * are counted.
 */
export default fp(
  async (app) => {
    app.decorateRequest('authenticated', null);
    app.decorateRequest('principal', {
      getter(this: FastifyRequest) {
        if (this.authenticated === null) throw new Error('a public route has no principal');
        return this.authenticated;
      },
    });

    const bySession = async (token: string): Promise<Principal | null> => {
      const claims = await app.tokens.verify(token);
      const session = claims && (await app.sessions.find(claims.sessionId));
      if (session === null || session.userId !== claims?.userId) return null;
      const { id: credentialId, userId, accountId, role } = session;
      return { accountId, userId, role, credential: 'session', credentialId, scopes: null };
    };

    app.decorate('identify', async (request: FastifyRequest) => {
      const { authorization = '' } = request.headers;
      const credential = /^Bearer +([A-Za-z0-9\-._~+/]+=*)$/i.exec(authorization)?.[1];
      if (credential === undefined) return null;
      return isApiKey(credential) ? app.apiKeys.find(credential) : bySession(credential);
    });

    app.addHook('onRequest', async (request) => {
      const { access = 'public' } = request.routeOptions.config;
      if (access === 'public' || access === 'refresh') return;
      request.authenticated = await app.identify(request);
    });
  },
  { name: 'authentication', dependencies: ['tokens', 'sessions', 'api-keys'] },
);
