import { setTimeout } from 'node:timers/promises';
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { ping } from '@gatehouse/db/client';
import Type from 'typebox';

const Dependency = Type.Enum(['up', 'down']);

const Readiness = Type.Object({
  status: Type.Enum(['ready', 'degraded', 'unavailable']),
  checks: Type.Object({ postgres: Dependency, redis: Dependency }),
});

/** Milliseconds after which a dependency that does not answer counts as down. */
const CHECK_TIMEOUT_MS = 1_000;

/**
 * Rejects when the time for a check is over. Many short waits in place of a long one, since they stand still while
 * this process does: one that is late itself is not to find its dependencies down, and leave the load to the others.
 */
async function timeout(signal: AbortSignal): Promise<never> {
  for (let waits = 0; waits < 10; waits += 1) {
    await setTimeout(CHECK_TIMEOUT_MS / 10, undefined, { signal });
  }
  throw new Error('no answer');
}

async function state(check: () => Promise<unknown>): Promise<'up' | 'down'> {
  const answered = new AbortController();
  return Promise.race([check(), timeout(answered.signal)])
    .then(
      () => 'up' as const,
      () => 'down' as const,
    )
    .finally(() => answered.abort());
}

const plugin: FastifyPluginAsyncTypebox = async (app) => {
  app.get(
    '/health',
    {
      logLevel: 'warn',
      schema: {
        tags: ['Operations'],
        summary: 'Liveness: this process answers. It asks nobody else.',
        response: { 200: Type.Object({ status: Type.Literal('ok') }) },
      },
    },
    async () => ({ status: 'ok' as const }),
  );

  app.get(
    '/ready',
    {
      logLevel: 'warn',
      schema: {
        tags: ['Operations'],
        summary: 'Readiness: 503 without Postgres; without Redis the gateway is slower, not away.',
        response: { 200: Readiness, 503: Readiness },
      },
    },
    async (_request, reply) => {
      const [postgres, redis] = await Promise.all([
        state(() => ping(app.db)),
        state(() => app.redis.ping()),
      ]);
      const status = postgres === 'down' ? 'unavailable' : redis === 'down' ? 'degraded' : 'ready';
      return reply
        .code(postgres === 'down' ? 503 : 200)
        .send({ status, checks: { postgres, redis } });
    },
  );
};

export default plugin;
