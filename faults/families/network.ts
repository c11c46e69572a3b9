import { startTcpProxy, type TcpProxy } from '@gatehouse/testing/tcp-proxy';
import { pause } from '../client.ts';
import { type ExtraWorker, withExtraWorker } from '../extra-worker.ts';
import type { Fault } from '../fault.ts';
import type { FaultyStack } from '../faulty-stack.ts';
import { send } from '../signals.ts';

const SWALLOWED_MS = 20_000;
/** For jobs to pile up before a slow Postgres, and for their commits to be answered by a fast one. */
const COMMITS_HELD_MS = 1_000;
const COMMITS_RELEASED_MS = 500;

type Server = 'REDIS_URL' | 'DATABASE_URL';

/** What befalls the network between a worker and what it uses. */
export const NETWORK_FAULTS = {
  'half-open-redis': {
    describe: 'the network between a third worker and Redis swallows all packets for 20 s',
    isLong: true,
    inject: (stack, _random, signal) => halfOpen(stack, 'REDIS_URL', signal),
  },
  'half-open-postgres': {
    describe: 'the network between a third worker and Postgres swallows all packets for 20 s',
    isLong: true,
    inject: (stack, _random, signal) => halfOpen(stack, 'DATABASE_URL', signal),
  },
  'kill-worker-mid-dispatch': {
    describe: 'kill -9 a third worker between commits and the hand-over of their jobs to Redis',
    inject: (stack, _random, signal) =>
      behindProxies(stack, signal, async (worker, { redis, postgres }) => {
        await worker.worked();
        postgres.hold();
        await pause(COMMITS_HELD_MS, signal);
        // From here on what it commits, or takes as a relay, cannot be handed over.
        redis.swallow();
        postgres.release();
        await pause(COMMITS_RELEASED_MS, signal);
        send(worker.pid, 'SIGKILL');
      }),
  },
} as const satisfies Record<string, Fault>;

/** Ends when the worker has noticed, and uses new connections; then it is killed. */
function halfOpen(stack: FaultyStack, server: Server, signal: AbortSignal): Promise<void> {
  return behindProxies(stack, signal, async (worker, { redis, postgres }) => {
    await worker.worked();
    const proxy = server === 'REDIS_URL' ? redis : postgres;
    proxy.swallow();
    await pause(SWALLOWED_MS, signal);
    proxy.heal();
    await worker.ready();
  });
}

interface Proxies {
  redis: TcpProxy;
  postgres: TcpProxy;
}

/** Has a worker join that reaches Redis and Postgres through proxies. */
async function behindProxies(
  stack: FaultyStack,
  signal: AbortSignal,
  use: (worker: ExtraWorker, proxies: Proxies) => Promise<void>,
): Promise<void> {
  const { redisUrl, databaseUrl } = stack.now();
  const redis = await startTcpProxy(redisUrl);
  const postgres = await startTcpProxy(databaseUrl);
  try {
    const changes = () => ({ REDIS_URL: redis.url, DATABASE_URL: postgres.url });
    await withExtraWorker(stack, changes, (worker) => use(worker, { redis, postgres }), signal);
  } finally {
    redis.close();
    postgres.close();
  }
}
