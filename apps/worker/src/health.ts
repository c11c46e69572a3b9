import { type Database, ping } from '@gatehouse/db/client';
import Fastify from 'fastify';
import type { Redis } from 'ioredis';
import type { Metrics } from './metrics.ts';
import type { Progress } from './progress.ts';
import type { Runner } from './runner.ts';
import { within } from './within.ts';

/** Longer than a healthy answer ever takes, shorter than a prober waits. */
const CHECK_TIMEOUT_MS = 1_000;

export interface HealthParts {
  db: Database;
  redis: Redis;
  runners: readonly Runner[];
  progress: Pick<Progress, 'wedged'>;
  metrics: Metrics;
}

export interface HealthServer {
  url: string;
  close(): Promise<void>;
}

/**
 * Serves `/health`, `/ready` and `/metrics`, to whoever runs the worker and not to the public.
 *
 * `/health` fails when only a new process may help: a queue is wedged. It does not when Postgres or Redis is away, as
 * that would end workers which lack nothing. `/ready` fails then as well, and before the start and during the shutdown.
 */
export async function startHealthServer(
  { db, redis, runners, progress, metrics }: HealthParts,
  address: { host: string; port: number },
): Promise<HealthServer> {
  const server = Fastify({ forceCloseConnections: true });
  server.get('/health', async (_request, reply) => {
    const wedged = progress.wedged();
    if (wedged.length === 0) return { status: 'ok' };
    const workers = Object.fromEntries(wedged.map((queue) => [queue, 'wedged']));
    return reply.code(503).send({ status: 'unavailable', workers });
  });
  server.get('/ready', async (_request, reply) => {
    const [postgres, redisState] = await Promise.all([
      check(() => ping(db)),
      check(() => redis.ping()),
    ]);
    const checks = { postgres, redis: redisState, workers: workersState({ runners, progress }) };
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
type WorkersState = 'ok' | Record<string, Runner['state'] | 'wedged'>;

/** What is wrong with each queue with which something is. */
function workersState({
  runners,
  progress,
}: Pick<HealthParts, 'runners' | 'progress'>): WorkersState {
  const wedged = progress.wedged();
  const wrong: WorkersState = {};
  for (const { queue, state } of runners) {
    if (state !== 'running') wrong[queue] = state;
    else if (wedged.includes(queue)) wrong[queue] = 'wedged';
  }
  return Object.keys(wrong).length === 0 ? 'ok' : wrong;
}

async function check(probe: () => Promise<unknown>): Promise<State> {
  return (await within(CHECK_TIMEOUT_MS, probe())) ? 'ok' : 'failing';
}
