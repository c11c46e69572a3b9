import { until } from '@gatehouse/testing/condition';
import { pause } from '../client.ts';
import type { Fault } from '../fault.ts';
import type { FaultyStack } from '../faulty-stack.ts';
import { freeze, freezeWhile, isThere, send } from '../signals.ts';

/** For mails to be under way when their workers are told to end. */
const UNDER_WAY_MS = 3_000;
/** A worker's own deadline, and what a busy machine adds to it. */
const EXIT_MS = 25_000 + 5_000;

/** What befalls the mail server, which takes connections as long as its kernel does. */
export const MAIL_FAULTS = {
  'hang-mail': {
    describe: 'the mail server frozen for 20 s',
    isLong: true,
    inject: (stack, _random, signal) => freeze([mailPid(stack)], 20_000, signal),
  },
  'hang-mail-60s': {
    describe: 'the mail server frozen for 60 s',
    isLong: true,
    inject: (stack, _random, signal) => freeze([mailPid(stack)], 60_000, signal),
  },
  'hang-mail-and-restart': {
    describe: 'the mail server frozen, and SIGTERM to every worker: they end by their deadline',
    isLong: true,
    inject: (stack, _random, signal) =>
      freezeWhile([mailPid(stack)], async () => {
        await pause(UNDER_WAY_MS, signal);
        const pids = stack.now().workerPids;
        for (const pid of pids) send(pid, 'SIGTERM');
        await until(() => signal.aborted || !pids.some(isThere), {
          what: 'workers with hanging mails to end by their deadline',
          timeoutMs: EXIT_MS,
        });
      }),
  },
} as const satisfies Record<string, Fault>;

function mailPid(stack: FaultyStack): number {
  const { mailPid: pid } = stack.now();
  if (pid === null) throw new TypeError('the stack embeds no mail server');
  return pid;
}
