import { findLiveApiKey } from '@gatehouse/db/api-keys';
import type { Role } from '@gatehouse/db/users';
import type { FastifyRequest } from 'fastify';
import fp from 'fastify-plugin';
import { apiKeyHasher, isApiKey } from '../auth/api-keys.ts';
import { type Believed, believed } from '../auth/believed.ts';
import type { Principal } from '../auth/principal.ts';
import { isScope, type Scope } from '../auth/scopes.ts';
import { createTokens, type Tokens } from '../auth/tokens.ts';

/**
 * Who may call a route: anybody; whose credentials have the scope; a signed-in person, also of a role. `refresh`: who
 * has a refresh token, which the route looks at itself.
 */
export type Access = 'public' | 'refresh' | Scope | 'session' | Exclude<Role, 'user'>;

declare module 'fastify' {
  interface FastifyInstance {
    tokens: Tokens;
    hashApiKey(key: string): Buffer<ArrayBuffer>;
    /** Who an API key acts for, by the key itself. */
    apiKeys: Believed<Principal>;
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

export interface AuthenticationOptions {
  secret: string;
  signingKeys: string;
}

/**
 * Finds out who makes a request, before its body is read. What he may do, the plugin `access` says, once his requests
 * are counted.
 */
export default fp<AuthenticationOptions>(
  async (app, { secret, signingKeys }) => {
    const tokens = await createTokens(signingKeys);
    const hashApiKey = apiKeyHasher(secret);
    app.decorate('tokens', tokens);
    app.decorate('hashApiKey', hashApiKey);

    app.decorateRequest('authenticated', null);
    app.decorateRequest('principal', {
      getter(this: FastifyRequest) {
        if (this.authenticated === null) throw new Error('a public route has no principal');
        return this.authenticated;
      },
    });

    const apiKeys = believed(async (key): Promise<Principal | null> => {
      const stored = await findLiveApiKey(app.db, hashApiKey(key));
      return (
        stored && {
          accountId: stored.user.accountId,
          userId: stored.userId,
          role: stored.user.role,
          credential: 'api_key',
          credentialId: stored.id,
          scopes: stored.scopes.length === 0 ? null : new Set(stored.scopes.filter(isScope)),
        }
      );
    });
    app.decorate('apiKeys', apiKeys);

    const bySession = async (token: string): Promise<Principal | null> => {
      const claims = await tokens.verify(token);
      const session = claims && (await app.sessions.find(claims.sessionId));
      if (session === null || session.userId !== claims?.userId) return null;
      const { id: credentialId, userId, accountId, role } = session;
      return { accountId, userId, role, credential: 'session', credentialId, scopes: null };
    };

    app.decorate('identify', async (request: FastifyRequest) => {
      const { authorization = '' } = request.headers;
      const credential = /^Bearer +([A-Za-z0-9\-._~+/]+=*)$/i.exec(authorization)?.[1];
      if (credential === undefined) return null;
      return isApiKey(credential) ? apiKeys.find(credential) : bySession(credential);
    });

    app.addHook('onRequest', async (request) => {
      const { access = 'public' } = request.routeOptions.config;
      if (access === 'public' || access === 'refresh') return;
      request.authenticated = await app.identify(request);
    });
  },
  { name: 'authentication', dependencies: ['database', 'sessions'] },
);
