import type { FastifyRequest } from 'fastify';

/**
 * Whether a request was made by a page of our own, or of an origin that is allowed: what a foreign page has a browser
 * send never is. Clients that are no browsers send none of these headers (OWASP, Cross-Site Request Forgery
 * Prevention: Fetch Metadata, origin).
 */
export function isSameOrigin(request: FastifyRequest, allowed: readonly string[] = []): boolean {
  const { origin, 'sec-fetch-site': site } = request.headers;
  if (origin !== undefined && allowed.includes(origin)) return true;
  if (site !== undefined) return site === 'same-origin' || site === 'none';
  return origin === undefined || URL.parse(origin)?.host === request.host;
}
