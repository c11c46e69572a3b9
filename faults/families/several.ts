import type { Fault } from '../fault.ts';
import { send } from '../signals.ts';
import { flush } from './redis.ts';

/** Misfortunes that do not come alone. */
export const SEVERAL_FAULTS = {
  'flush-and-kill-workers': {
    describe: 'FLUSHALL, and kill -9 all workers',
    async inject(stack) {
      for (const pid of stack.now().workerPids) send(pid, 'SIGKILL');
      await flush(stack);
    },
  },
} as const satisfies Record<string, Fault>;
