import fp from 'fastify-plugin';

/**
 * Whoever has the token of such a path can end somebody's reminders, also where no route matched. A path is the same with
 * characters that are percent-encoded.
 */
function withoutToken(url: string): string {
  const decoded = url.replace(/%([0-9a-f]{2})/gi, (_, hex) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
  const shown = decoded.replace(/(?<=unsubscribe\/).*/is, '…');
  return shown === decoded ? url : shown;
}

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
