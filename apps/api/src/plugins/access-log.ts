import fp from 'fastify-plugin';

/** Whoever has the token of such a path can end somebody's reminders. Also where no route matched. */
const withoutToken = (url: string): string => url.replace(/(?<=unsubscribe\/).*/i, '…');

/** One line a request, once it is answered: who asked for what, and what came of it. */
export default fp(
  async (app) => {
    app.addHook('onResponse', async (request, reply) => {
      request.log.info(
        {
          accountId: request.authenticated?.accountId,
          method: request.method,
          url: withoutToken(request.url),
          statusCode: reply.statusCode,
          durationMs: Math.round(reply.elapsedTime * 10) / 10,
        },
        'request',
      );
    });
  },
  { name: 'access-log', dependencies: ['authentication'] },
);
