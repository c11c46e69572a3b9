import { until } from '@gatehouse/testing/condition';
import { pause } from '../client.ts';
import type { Fault } from '../fault.ts';
import { freezeWhile, send } from '../signals.ts';
import { flush, redisPid } from './redis.ts';

/** Longer than a gateway or a worker waits for Redis before it goes on without. */
const WITHOUT_REDIS_MS = 15_000;
const RESTART_MS = 60_000;

/** Misfortunes that do not come alone. */
export const SEVERAL_FAULTS = {
  'flush-and-kill-workers': {
    describe: 'FLUSHALL, and kill -9 all workers',
    async inject(stack) {
      for (const pid of stack.now().workerPids) send(pid, 'SIGKILL');
      await flush(stack);
    },
  },
  'start-without-redis': {
    describe:
      'Redis frozen, and kill -9 one gateway and one worker: their successors start without it',
    isLong: true,
    inject: (stack, random, signal) =>
      freezeWhile([redisPid(stack)], async () => {
        const { apiPids, workerPids } = stack.now();
        const killed = [random.pick(apiPids), random.pick(workerPids)];
        for (const pid of killed) send(pid, 'SIGKILL');
        await pause(WITHOUT_REDIS_MS, signal);
        const runs = () => [...stack.now().apiPids, ...stack.now().workerPids];
        await until(() => signal.aborted || !killed.some((pid) => runs().includes(pid)), {
          what: 'a gateway and a worker that start without Redis',
          timeoutMs: RESTART_MS,
        });
      }),
  },
} as const satisfies Record<string, Fault>;
