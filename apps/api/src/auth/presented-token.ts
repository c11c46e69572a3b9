import type { FastifyInstance, FastifyRequest } from 'fastify';
import { type Config, origins } from '../config.ts';
import { Forbidden } from '../errors.ts';
import { isSameOrigin } from '../http/same-origin.ts';

/**
 * The refresh token that a request presents: of its body, or of its cookie.
 *
 * @throws {Forbidden} when it is in a cookie that the page of a foreign site had a browser send
 */
export function presentedToken(
  app: FastifyInstance,
  request: FastifyRequest,
  config: Config,
  inBody: string | undefined,
): string | undefined {
  if (inBody !== undefined) return inBody;
  const inCookie = app.refreshCookie.read(request);
  if (inCookie !== undefined && !isSameOrigin(request, origins(config))) {
    throw new Forbidden('A cookie may only be sent from a page of this site');
  }
  return inCookie;
}
