import { until } from '@gatehouse/testing/condition';
import type { Fault } from '../fault.ts';
import type { FaultyStack } from '../faulty-stack.ts';
import { freeze, send } from '../signals.ts';

/** Longer than BullMQ's lock and its check take: the worker's jobs are given to another while it sleeps. */
const PAST_THE_LOCK_MS = 15_000;
const RESTART_MS = 60_000;

/** What befalls gateways and workers. */
export const PROCESS_FAULTS = {
  'kill-worker': {
    describe: 'kill -9 one worker',
    async inject(stack, random) {
      send(random.pick(stack.now().workerPids), 'SIGKILL');
    },
  },
  'kill-workers': {
    describe: 'kill -9 all workers',
    async inject(stack) {
      for (const pid of stack.now().workerPids) send(pid, 'SIGKILL');
    },
  },
  'kill-api': {
    describe: 'kill -9 one gateway',
    async inject(stack, random) {
      send(random.pick(stack.now().apiPids), 'SIGKILL');
    },
  },
  'kill-apis': {
    describe: 'kill -9 all gateways',
    async inject(stack) {
      for (const pid of stack.now().apiPids) send(pid, 'SIGKILL');
    },
  },
  'freeze-worker': {
    describe: 'one worker frozen for 15 s, past its locks',
    async inject(stack, random, signal) {
      await freeze([random.pick(stack.now().workerPids)], PAST_THE_LOCK_MS, signal);
    },
  },
  'freeze-api': {
    describe: 'one gateway frozen for 5 s',
    async inject(stack, random, signal) {
      await freeze([random.pick(stack.now().apiPids)], 5_000, signal);
    },
  },
  'rolling-restart': {
    describe: 'SIGTERM to every worker and gateway, one after another',
    async inject(stack, _random, signal) {
      const { workerPids, apiPids } = stack.now();
      for (const index of workerPids.keys()) await restart(stack, 'workerPids', index, signal);
      for (const index of apiPids.keys()) await restart(stack, 'apiPids', index, signal);
    },
  },
} as const satisfies Record<string, Fault>;

/** Ends a process in order, and waits for the one that takes its place. */
async function restart(
  stack: FaultyStack,
  which: 'workerPids' | 'apiPids',
  index: number,
  signal: AbortSignal,
): Promise<void> {
  signal.throwIfAborted();
  const before = stack.now()[which][index];
  if (before === undefined) return;
  send(before, 'SIGTERM');
  await until(() => signal.aborted || stack.now()[which][index] !== before, {
    what: `the successor of process ${before}`,
    timeoutMs: RESTART_MS,
  });
}
