import { type Database, ping } from '@gatehouse/db/client';
import Fastify from 'fastify';
import type { Redis } from 'ioredis';
import type { Metrics } from './metrics.ts';
import type { Runner } from './runner.ts';
import { within } from './within.ts';

/** Longer than a healthy answer ever takes, shorter than a prober waits. */
const CHECK_TIMEOUT_MS = 1_000;

export interface HealthParts {
  db: Database;
  redis: Redis;
  runners: readonly Runner[];
  metrics: Metrics;
}

export interface HealthServer {
  url: string;
  close(): Promise<void>;
}

/** Serves `/health`, `/ready` and `/metrics`, to whoever runs the worker and not to the public. */
export async function startHealthServer(
  { db, redis, runners, metrics }: HealthParts,
  address: { host: string; port: number },
): Promise<HealthServer> {
  const server = Fastify({ forceCloseConnections: true });
  server.get('/health', () => ({ status: 'ok' }));
  server.get('/ready', async (_request, reply) => {
    const [postgres, redisState] = await Promise.all([
      check(() => ping(db)),
      check(() => redis.ping()),
    ]);
    const workers: State = runners.every((runner) => runner.isRunning()) ? 'ok' : 'failing';
    const checks = { postgres, redis: redisState, workers };
    const isReady = Object.values(checks).every((state) => state === 'ok');
    return reply.code(isReady ? 200 : 503).send({ status: isReady ? 'ok' : 'unavailable', checks });
  });
  server.get('/metrics', async (_request, reply) => {
    return reply.type(metrics.contentType).send(await metrics.text());
  });
  const url = await server.listen(address);
  return { url, close: () => server.close() };
}

type State = 'ok' | 'failing';

async function check(probe: () => Promise<unknown>): Promise<State> {
  return (await within(CHECK_TIMEOUT_MS, probe())) ? 'ok' : 'failing';
}
