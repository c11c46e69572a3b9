import type { Role } from '@gatehouse/db/users';
import fp from 'fastify-plugin';
import type { Principal } from '../auth/principal.ts';
import { Forbidden, Unauthorized } from '../errors.ts';
import type { Access } from './authentication.ts';

/** Milliseconds after which it is asked again who somebody is: half as long as the answer is believed. */
const AT_ONCE_MS = 250;

/** Lets a request through to its route only with the credentials that the route asks for. */
export default fp(
  async (app) => {
    app.addHook('onRoute', ({ url, config }) => {
      if (url.startsWith('/v1/') && config?.access === undefined) {
        throw new Error(`${url} does not say who may call it: set config.access`);
      }
    });
    // After `onRequest`, in which requests are counted: who guesses credentials is counted as well. Before the body.
    app.addHook('preParsing', async ({ authenticated, routeOptions }) => {
      const { access = 'public' } = routeOptions.config;
      if (access === 'public' || access === 'refresh') return;
      if (authenticated === null) throw new Unauthorized();
      assertAccess(authenticated, access);
    });
    // Again, for whoever took his time to send the body: his session may have been ended meanwhile.
    app.addHook('preValidation', async (request, reply) => {
      const { access = 'public' } = request.routeOptions.config;
      if (access === 'public' || access === 'refresh' || reply.elapsedTime < AT_ONCE_MS) return;
      request.authenticated = await app.identify(request);
      if (request.authenticated === null) throw new Unauthorized();
      assertAccess(request.authenticated, access);
    });
  },
  { name: 'access', dependencies: ['authentication'] },
);

const RANK: Record<Role, number> = { user: 0, operator: 1, admin: 2 };

/** @throws {Forbidden} */
function assertAccess(
  { credential, scopes, role }: Principal,
  access: Exclude<Access, 'public' | 'refresh'>,
): void {
  switch (access) {
    case 'session':
      if (credential !== 'session')
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
