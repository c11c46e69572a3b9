import { expect, onTestFinished } from 'vitest';
import { type GatewayProcess, spawnGateway } from './gateway-process.ts';
import type { Reply } from './harness.ts';
import type { KeyedRoute } from './keyed-routes/keyed-route.ts';
import { KEYED_ROUTES } from './keyed-routes.ts';
import type { Scene, World } from './keyed-world.ts';
import { startTrapProxy, type TrapProxy } from './trap-proxy.ts';

/**
 * The paths that a keyed request can take: an order (group commit), plain transactions that insert and update, an
 * answer that is sealed.
 */
export const CRASH_ROUTES: readonly KeyedRoute[] = KEYED_ROUTES.filter(
  ({ role, hasRecoveryPoint }) => role === 'user' && hasRecoveryPoint === undefined,
);

/** What one run of all of them writes. */
export const ONE_RUN_EACH: readonly string[] = CRASH_ROUTES.flatMap(({ effect }) => effect).sort();

/** A request of each of these routes, about to be sent to a gateway process that is made to fail. */
export interface Stage {
  victim: GatewayProcess;
  /** Between the victim and its servers. */
  redis: TrapProxy;
  postgres: TrapProxy;
  scenes: readonly Scene[];
  /** Sends all to the victim, or to what stands before it. */
  sendAll(to?: Pick<GatewayProcess, 'call'>): Promise<Reply>[];
  /** What they have written since they were first sent. */
  effects(): Promise<string[]>;
  /** The name of a scene's key in Redis. */
  claimOf(scene: Scene): Promise<string>;
}

export async function setStage(
  world: World,
  routes: readonly KeyedRoute[] = CRASH_ROUTES,
): Promise<Stage> {
  const { config, app } = world.gateway;
  const redis = await startTrapProxy(config.REDIS_URL);
  onTestFinished(redis.close);
  const postgres = await startTrapProxy(config.DATABASE_URL);
  onTestFinished(postgres.close);
  const victim = await spawnGateway(config, {
    REDIS_URL: redis.url,
    DATABASE_URL: postgres.url,
  });
  onTestFinished(victim.kill);
  const scenes: Scene[] = [];
  for (const route of routes) scenes.push(await world.scene(route));
  const last = scenes.at(-1);
  if (last === undefined) throw new Error('there is nothing to send');
  return {
    victim,
    redis,
    postgres,
    scenes,
    sendAll: (to = victim) =>
      scenes.map(({ send, person }) => send({ from: { ...person, call: person.at(to) } })),
    effects: last.effects,
    async claimOf({ key }) {
      const names = await app.redis.keys(`gatehouse:idempotency:*:${key['idempotency-key']}`);
      expect(names).toHaveLength(1);
      return names[0] ?? '';
    },
  };
}

/** Lets go of requests whose gateway is not going to answer. */
export async function expectNoAnswers(sent: readonly Promise<Reply>[]): Promise<void> {
  const results = await Promise.allSettled(sent);
  expect(results.map(({ status }) => status)).toEqual(results.map(() => 'rejected'));
}

/** The claims of a process that died stand, and block their keys for a minute at most. */
export async function expectDeadClaims({ scenes, claimOf }: Stage, world: World): Promise<void> {
  const { redis } = world.gateway.app;
  for (const scene of scenes) {
    const claim = await claimOf(scene);
    expect(await redis.hexists(claim, 'a')).toBe(0);
    const left = await redis.pttl(claim);
    expect(left).toBeGreaterThan(0);
    expect(left).toBeLessThanOrEqual(60_000);
  }
}

/** Every order has its one job, ready to be dispatched: by who accepted it, or by the sweep. */
export async function expectOrdersToBeOwed(world: World): Promise<void> {
  const { db } = world.gateway;
  const orders = await db.order.findMany({ select: { id: true } });
  const jobs = await db.job.findMany({ where: { name: 'execute-trade' } });
  expect(jobs.map(({ subjectId }) => subjectId).sort()).toEqual(orders.map(({ id }) => id).sort());
  for (const { state } of jobs) expect(['dispatched', 'waiting']).toContain(state);
}
