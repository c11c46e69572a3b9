import inspector from 'node:inspector';
import { Worker } from 'node:worker_threads';
import type { Logger } from 'pino';
import type { WatchdogData } from './watchdog-thread.ts';

export interface WatchdogOptions {
  /** Milliseconds between two beats of the main thread. */
  beatMs: number;
  /** Milliseconds between two looks of the watchdog. */
  tickMs: number;
  /** After so many ticks without a beat the process is ended. */
  ticks: number;
}

const DEFAULTS: WatchdogOptions = { beatMs: 500, tickMs: 1_000, ticks: 30 };

/**
 * Ends the process with SIGKILL when its event loop is blocked for 30 s, as by a job that spins for ever: no timer of
 * the main thread would fire any more. Whoever supervises the process starts it anew. BullMQ finds that the job has
 * stalled, its attempt has failed, and after its attempts it is dead, while its neighbours go on.
 *
 * Looks from a thread of its own, that keeps no process alive. A process that was stopped and continued, or a machine
 * that slept, is no blocked loop: the thread counts its own ticks, and it stood still as well. Under a debugger there
 * is no watchdog, since at a breakpoint everything stands still but this.
 */
export function startWatchdog(log: Logger, options: Partial<WatchdogOptions> = {}): void {
  if (inspector.url() !== undefined) {
    log.info('no watchdog: there is a debugger');
    return;
  }
  const { beatMs, tickMs, ticks } = { ...DEFAULTS, ...options };
  const beats = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
  setInterval(() => Atomics.add(beats, 0, 1), beatMs).unref();
  const data: WatchdogData = { beats, tickMs, ticks, bindings: log.bindings() };
  const thread = new Worker(new URL('./watchdog-thread.ts', import.meta.url), {
    name: 'watchdog',
    workerData: data,
    // What the process preloads is not meant for this thread.
    execArgv: [],
    env: {},
  });
  thread.unref();
  thread.on('error', (error: unknown) => {
    log.error({ err: error }, 'the watchdog ended, a job that spins will not be noticed');
  });
}
