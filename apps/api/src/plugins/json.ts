import type { FastifyRequest } from 'fastify';
import fp from 'fastify-plugin';
import { addResponses } from '../added-responses.ts';
import { MalformedJson } from '../errors.ts';
import { parseJson } from '../input/parse-json.ts';
import { problems } from '../schemas.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** A request without a body counts as one with an empty object. */
    bodyIsOptional?: boolean;
  }
}

/** Reads JSON bodies, more strictly than Fastify does: see `parseJson`. */
export default fp(
  async (app) => {
    app.removeContentTypeParser('application/json');
    app.addContentTypeParser<Buffer>(
      'application/json',
      { parseAs: 'buffer' },
      (request, body, done) => {
        try {
          done(null, body.length === 0 ? withoutBody(request) : parseJson(body));
        } catch (error) {
          done(error instanceof Error ? error : new MalformedJson('The body is not valid JSON'));
        }
      },
    );
    app.addHook('onRoute', (route) => {
      if (!route.url.startsWith('/v1/') || [route.method].flat().every(isBodyless)) return;
      // Also of a body that nobody looks at.
      addResponses(route, problems(413, 415));
    });
    app.addHook('preValidation', async (request) => {
      if (request.routeOptions.config.bodyIsOptional) request.body ??= {};
    });
  },
  { name: 'json' },
);

/** Of these methods Fastify reads no body. */
function isBodyless(method: string): boolean {
  return method === 'GET' || method === 'HEAD';
}

/**
 * Some clients give every request a content type, also those that have nothing to say.
 *
 * @throws {MalformedJson} when the route needs a body
 */
function withoutBody({ routeOptions: { schema, config } }: FastifyRequest): undefined {
  if (schema?.body === undefined || config.bodyIsOptional) return;
  throw new MalformedJson('The body is empty');
}
