import { shiftedClock } from '@gatehouse/testing/shifted-clock';
import { pause } from '../client.ts';
import { withExtraWorker } from '../extra-worker.ts';
import type { Fault } from '../fault.ts';
import type { FaultyStack } from '../faulty-stack.ts';

const OFF_BY_MS = 5 * 60_000;
const AT_WORK_MS = 10_000;

/** What befalls clocks. */
export const CLOCK_FAULTS = {
  'skewed-worker-ahead': {
    describe: 'a third worker, whose clock is 5 minutes ahead, works for 10 s and is killed',
    inject: (stack, _random, signal) => workSkewed(stack, OFF_BY_MS, signal),
  },
  'skewed-worker-behind': {
    describe: 'a third worker, whose clock is 5 minutes behind, works for 10 s and is killed',
    inject: (stack, _random, signal) => workSkewed(stack, -OFF_BY_MS, signal),
  },
} as const satisfies Record<string, Fault>;

function workSkewed(stack: FaultyStack, offByMs: number, signal: AbortSignal): Promise<void> {
  const changes = () => shiftedClock(offByMs);
  return withExtraWorker(stack, changes, () => pause(AT_WORK_MS, signal), signal);
}
