import fastify, { type FastifyInstance } from 'fastify';
import { collectDefaultMetrics, Registry } from 'prom-client';
import type { Config } from './config.ts';

/**
 * Listens on the internal port, for those who watch the gateway rather than use it: `GET /metrics` in Prometheus'
 * text format. Closed with the app. Returns its URL.
 */
export async function listenInternally(app: FastifyInstance, config: Config): Promise<string> {
  const register = new Registry();
  collectDefaultMetrics({ register });
  const internal = fastify();
  internal.get('/metrics', async (_request, reply) =>
    reply.type(register.contentType).send(await register.metrics()),
  );
  app.addHook('onClose', () => internal.close());
  return internal.listen({ host: config.HOST, port: config.METRICS_PORT });
}
