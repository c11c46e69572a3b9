import cors from '@fastify/cors';
import helmet from '@fastify/helmet';
import fp from 'fastify-plugin';

export interface HeadersOptions {
  /** Origins of pages that may call. */
  corsOrigins: readonly string[];
}

/** Headers that every answer has. */
export default fp<HeadersOptions>(
  async (app, { corsOrigins }) => {
    app.addHook('onSend', async (request, reply) => {
      reply.header('x-request-id', request.id);
      // What is somebody's own is kept by no cache, save where a route says otherwise.
      const isSomebodys = request.url.startsWith('/v1/') || request.url.startsWith('/admin');
      if (isSomebodys && !reply.hasHeader('cache-control'))
        reply.header('cache-control', 'no-store');
    });
    await app.register(helmet, {
      contentSecurityPolicy: {
        directives: {
          defaultSrc: ["'self'"],
          // Swagger UI and Bull Board set styles inline and show images from data URLs.
          styleSrc: ["'self'", "'unsafe-inline'"],
          imgSrc: ["'self'", 'data:'],
          fontSrc: ["'self'", 'data:'],
          scriptSrc: ["'self'"],
          formAction: ["'self'"],
          frameAncestors: ["'none'"],
          upgradeInsecureRequests: null,
        },
      },
    });
    if (corsOrigins.length > 0) {
      await app.register(cors, {
        origin: [...corsOrigins],
        credentials: true,
        methods: ['GET', 'HEAD', 'POST', 'PATCH', 'DELETE'],
        exposedHeaders: [
          'etag',
          'location',
          'x-request-id',
          'idempotent-replayed',
          'ratelimit',
          'ratelimit-policy',
          'retry-after',
        ],
      });
    }
  },
  { name: 'headers' },
);
