import type { FastifyRequest } from 'fastify';
import fp from 'fastify-plugin';
import { ExpectationFailed } from '../errors.ts';

export interface ExpectationsOptions {
  /** Bytes of the largest body that is taken. */
  bodyLimit: number;
}

/**
 * `Expect: 100-continue` (RFC 9110, section 10.1.1): a client is asked for his body once it is wanted, and not to be
 * told then that he may not send it, or that it is too large.
 */
export default fp<ExpectationsOptions>(
  async (app, { bodyLimit }) => {
    // Node answers both by itself, unless it is listened to; now they go the way of every other request.
    for (const event of ['checkContinue', 'checkExpectation']) {
      app.server.on(event, (request, response) => app.server.emit('request', request, response));
    }
    app.addHook('onRequest', async (request) => {
      if (request.headers.expect !== undefined && !expectsContinue(request)) {
        throw new ExpectationFailed();
      }
    });
    // Of this kind of hook the one of `access` is run before.
    app.addHook('preParsing', async (request, reply) => {
      const announced = Number(request.headers['content-length'] ?? 0);
      if (expectsContinue(request) && announced <= bodyLimit) reply.raw.writeContinue();
    });
  },
  { name: 'expectations', dependencies: ['access'] },
);

function expectsContinue({ headers }: FastifyRequest): boolean {
  return headers.expect?.toLowerCase() === '100-continue';
}
