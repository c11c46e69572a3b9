import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { until } from '@gatehouse/testing/condition';
import type { FaultyStack } from './faulty-stack.ts';
import { send } from './signals.ts';

const MAIN = join(import.meta.dirname, '../apps/worker/src/main.ts');
const START_MS = 60_000;
const WORK_MS = 60_000;
const READY_MS = 60_000;
const PROBE_MS = 2_000;

/** A worker beside those of the stack, to whom things may happen that would end with these. */
export interface ExtraWorker {
  readonly pid: number;
  /** Resolves when it has done jobs of others than itself. */
  worked(): Promise<void>;
  /** Resolves when it says that all it needs is there. */
  ready(): Promise<void>;
}

/**
 * Has a worker join the stack, with the environment of one that runs but for `changes`, for as long as `use` takes.
 * Then it is killed: no fault leaves it behind. What waits for it ends early when `signal` fires.
 *
 * @throws when it does not start
 */
export async function withExtraWorker(
  stack: FaultyStack,
  changes: (environment: NodeJS.ProcessEnv) => NodeJS.ProcessEnv,
  use: (worker: ExtraWorker) => Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  const environment = await until(() => environmentOf(stack.now().workerPids), {
    what: 'a worker to take after',
    timeoutMs: START_MS,
  });
  const log = openSync(join(stack.logs, 'extra-worker.log'), 'a');
  const child = spawn(process.execPath, [MAIN], {
    env: { ...environment, METRICS_PORT: '0', ...changes(environment) },
    stdio: ['ignore', log, log, 'ipc'],
  });
  closeSync(log);
  const end = () => child.kill('SIGKILL');
  process.once('exit', end);
  try {
    const internalUrl = await started(child);
    const { pid = 0 } = child;
    const patiently = (what: string, timeoutMs: number, check: () => Promise<boolean>) =>
      until(async () => signal.aborted || (await check()), { what, timeoutMs });
    await use({
      pid,
      async worked() {
        await patiently('the extra worker to do a job', WORK_MS, async () =>
          /^gatehouse_jobs_processed_total\{queue="(?!schedules).* [1-9]/m.test(
            await (await get(`${internalUrl}/metrics`)).text(),
          ),
        );
      },
      async ready() {
        await patiently(
          'the extra worker to be ready',
          READY_MS,
          async () => (await get(`${internalUrl}/ready`)).ok,
        );
      },
    });
  } finally {
    process.off('exit', end);
    const gone = once(child, 'exit');
    if (child.exitCode === null && child.signalCode === null && send(child.pid ?? 0, 'SIGKILL')) {
      await gone;
    }
  }
}

function get(url: string): Promise<Response> {
  return fetch(url, { signal: AbortSignal.timeout(PROBE_MS) });
}

/** The internal URL that the worker tells when it is up. */
async function started(child: ChildProcess): Promise<string> {
  const [message] = await Promise.race([
    once(child, 'message', { signal: AbortSignal.timeout(START_MS) }),
    once(child, 'exit').then(([code]) => {
      throw new Error(`the extra worker ended with ${code} before it was ready`);
    }),
  ]);
  const { internalUrl } = message;
  if (typeof internalUrl !== 'string') throw new TypeError('the extra worker told no URL');
  return internalUrl;
}

/** That of the first of the processes that is there. */
function environmentOf(pids: readonly number[]): NodeJS.ProcessEnv | undefined {
  for (const pid of pids) {
    const variables = readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0').filter(Boolean);
    if (variables.length > 0) {
      return Object.fromEntries(
        variables.map((one) => [one.slice(0, one.indexOf('=')), one.slice(one.indexOf('=') + 1)]),
      );
    }
  }
  return undefined;
}
