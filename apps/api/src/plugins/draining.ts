import fp from 'fastify-plugin';

/**
 * While the gateway closes, what is still answered takes its connection along: one that is kept alive would hold
 * the server open until its client lets go of it.
 */
export default fp(
  async (app) => {
    let isClosing = false;
    app.addHook('preClose', async () => {
      isClosing = true;
    });
    app.addHook('onSend', async (_request, reply) => {
      if (isClosing) reply.header('connection', 'close');
    });
  },
  { name: 'draining' },
);
