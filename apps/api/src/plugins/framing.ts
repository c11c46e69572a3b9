import type { FastifyRequest } from 'fastify';
import fp from 'fastify-plugin';
import { AmbiguousHeader, HeadersTooLarge } from '../errors.ts';

/**
 * Headers that a request has once. Node keeps the first of several and another server on the way the last, so that each
 * would act for somebody else (RFC 9112, section 3.2; RFC 9110, section 5.3).
 */
const SINGLE = new Set(['host', 'authorization', 'content-type']);

/** More are no client's; what 16 KiB hold would otherwise be thousands. */
const MAX_HEADERS = 100;

/** Refuses requests whose headers can be understood in two ways, before anybody acts on them. */
export default fp(
  async (app) => {
    // Node drops what is beyond its own limit, and says nothing.
    app.server.maxHeadersCount = 0;
    app.addHook('onRequest', async (request) => assertHeaders(request));
  },
  { name: 'framing', dependencies: ['headers'] },
);

/**
 * @throws {HeadersTooLarge} when there are too many
 * @throws {AmbiguousHeader} when one of `SINGLE` is repeated, or `Host` is missing
 */
function assertHeaders({ raw }: FastifyRequest): void {
  const { rawHeaders, httpVersion } = raw;
  if (rawHeaders.length > 2 * MAX_HEADERS) throw new HeadersTooLarge();
  let seen = '';
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index]?.toLowerCase() ?? '';
    if (!SINGLE.has(name)) continue;
    if (seen.includes(name)) throw new AmbiguousHeader(`The header ${name} is there twice`);
    seen += ` ${name}`;
  }
  if (httpVersion === '1.1' && !seen.includes('host')) {
    throw new AmbiguousHeader('The header host is missing');
  }
}
