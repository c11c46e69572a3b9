import { createHash } from 'node:crypto';
import type { FastifyRequest } from 'fastify';
import fp from 'fastify-plugin';
import Type from 'typebox';
import { addResponses } from '../added-responses.ts';
import { PreconditionFailed } from '../errors.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The route answers with a single resource: give it an `ETag`, and answer `If-None-Match`. */
    etag?: boolean;
  }
}

/** The entity tag (RFC 9110, section 8.8) of a resource that counts its versions. */
export function versionTag({ version }: { version: number }): string {
  return `"${version}"`;
}

/** The entity tag of any other: of the bytes, so that it changes with everything that a reader can see. */
function contentTag(body: string): string {
  return `"${createHash('sha1').update(body).digest('base64url')}"`;
}

/** Whether a list of entity tags (`If-Match`, `If-None-Match`) has this one. Weak comparison. */
export function lists(header: string, tag: string): boolean {
  return (
    header.trim() === '*' || header.split(',').some((one) => one.trim().replace(/^W\//, '') === tag)
  );
}

const NOT_MODIFIED = { 304: Type.Null({ description: 'It is as `If-None-Match` says' }) };

/** ETags of single resources. */
export default fp(
  async (app) => {
    app.addHook('onRoute', (route) => {
      if (route.config?.etag) addResponses(route, NOT_MODIFIED);
    });
    app.addHook('onSend', async (request, reply, payload) => {
      if (
        !request.routeOptions.config.etag ||
        reply.statusCode !== 200 ||
        typeof payload !== 'string'
      )
        return payload;
      const tag = String(reply.getHeader('etag') ?? contentTag(payload));
      reply.header('etag', tag);
      const wanted = request.headers['if-none-match'];
      if (wanted === undefined || !lists(wanted, tag)) return payload;
      reply.code(304).removeHeader('content-type').removeHeader('content-length');
      return '';
    });
  },
  { name: 'etag' },
);

/**
 * Holds the tag of a resource, as it is now, against the request's `If-Match`.
 *
 * @throws {PreconditionFailed}
 */
export function assertIfMatch(request: FastifyRequest, tag: string): void {
  const expected = request.headers['if-match'];
  if (expected !== undefined && !lists(expected, tag)) throw new PreconditionFailed();
}
