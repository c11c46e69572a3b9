import fp from 'fastify-plugin';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** A request without a body counts as one with an empty object. */
    bodyIsOptional?: boolean;
  }
}

export default fp(
  async (app) => {
    app.addHook('preValidation', async (request) => {
      if (request.routeOptions.config.bodyIsOptional) request.body ??= {};
    });
  },
  { name: 'json' },
);
