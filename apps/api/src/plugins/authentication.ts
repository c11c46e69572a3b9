import { findLiveApiKey } from '@gatehouse/db/api-keys';
import type { Role } from '@gatehouse/db/users';
import type { FastifyRequest } from 'fastify';
import fp from 'fastify-plugin';
import { LRUCache } from 'lru-cache';
import { apiKeyHasher, isApiKey } from '../auth/api-keys.ts';
import type { Principal } from '../auth/principal.ts';
import { isScope, type Scope } from '../auth/scopes.ts';
import { createTokens, type Tokens } from '../auth/tokens.ts';
import { Forbidden, Unauthorized } from '../errors.ts';

/** Who may call a route: anybody; whose credentials have the scope; a signed-in person, also of a role. */
export type Access = 'public' | Scope | 'session' | Exclude<Role, 'user'>;

declare module 'fastify' {
  interface FastifyInstance {
    tokens: Tokens;
    hashApiKey(key: string): Buffer<ArrayBuffer>;
  }
  interface FastifyRequest {
    /** Who makes the request. Reading it on a public route throws. */
    readonly principal: Principal;
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

/** Milliseconds for which an API key is believed without asking again; a revocation takes as long at most. */
const KEY_CACHE_MS = 1_000;

/** Authenticates every request to a route that is not public, before its body is read. */
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

    const keys = new LRUCache<string, { principal: Principal | null }>({
      max: 10_000,
      ttl: KEY_CACHE_MS,
    });
    const byApiKey = async (key: string): Promise<Principal | null> => {
      const known = keys.get(key);
      if (known !== undefined) return known.principal;
      const stored = await findLiveApiKey(app.db, hashApiKey(key));
      const principal: Principal | null = stored && {
        accountId: stored.user.accountId,
        userId: stored.userId,
        role: stored.user.role,
        credential: 'api_key',
        scopes: stored.scopes.length === 0 ? null : new Set(stored.scopes.filter(isScope)),
      };
      keys.set(key, { principal });
      return principal;
    };

    const authenticate = async (request: FastifyRequest): Promise<Principal> => {
      const credential = /^Bearer ([A-Za-z0-9\-._~+/]+=*)$/i.exec(
        request.headers.authorization ?? '',
      )?.[1];
      if (credential === undefined) throw new Unauthorized();
      const principal = isApiKey(credential)
        ? await byApiKey(credential)
        : await tokens.verify(credential);
      if (principal === null) throw new Unauthorized();
      return principal;
    };

    app.addHook('onRoute', ({ url, config }) => {
      if (url.startsWith('/v1/') && config?.access === undefined) {
        throw new Error(`${url} does not say who may call it: set config.access`);
      }
    });
    app.addHook('onRequest', async (request) => {
      const { access = 'public' } = request.routeOptions.config;
      if (access === 'public') return;
      request.authenticated = await authenticate(request);
      assertAccess(request.authenticated, access);
    });
  },
  { name: 'authentication', dependencies: ['database'] },
);

const RANK: Record<Role, number> = { user: 0, operator: 1, admin: 2 };

/** @throws {Forbidden} */
function assertAccess(
  { credential, scopes, role }: Principal,
  access: Exclude<Access, 'public'>,
): void {
  switch (access) {
    case 'session':
      if (credential !== 'access_token')
        throw new Forbidden('This needs a signed-in person, not an API key');
      return;
    case 'operator':
    case 'admin':
      if (RANK[role] < RANK[access]) throw new Forbidden(`This needs the role ${access}`);
      // No scope covers it, and a key that is restricted has nothing beside its scopes.
      if (scopes !== null)
        throw new Forbidden('An API key that is restricted to scopes cannot do this');
      return;
    default:
      if (scopes !== null && !scopes.has(access))
        throw new Forbidden(`The API key lacks the scope ${access}`);
  }
}
