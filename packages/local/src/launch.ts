import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { StartError } from './errors.ts';
import type { Guard } from './guard.ts';
import { lastLines } from './log-tail.ts';

/** Milliseconds that one of our own processes may take until it serves. */
const OWN_READY_MS = 30_000;

/** A child process that has been seen to work. */
export interface Service {
  readonly pid: number;
  readonly process: ChildProcess;
  /** Ends it in order, and by SIGKILL when that takes too long; resolves when it is gone. */
  stop(): Promise<void>;
}

export interface LaunchOptions {
  /** How messages call it. */
  name: string;
  command: string;
  args: string[];
  env: NodeJS.ProcessEnv;
  cwd: string;
  /** Takes its standard output and error; appended to. */
  logFile: string;
  /** The user to run as, when not this process's own. */
  user?: { uid: number; gid: number } | null;
  ipc?: boolean;
  /** What asks it to end in order. */
  stopSignal: NodeJS.Signals;
  stopDeadlineMs: number;
  guard?: Guard | undefined;
}

/** A child process that has been started, ready or not. */
export interface Launched extends Service {
  /** `code 1` or `signal SIGKILL`, once it has ended. */
  ending(): string | null;
}

/** Starts a child process under guard. It has a session of its own, so that Ctrl-C does not reach it directly. */
export async function launch(options: LaunchOptions): Promise<Launched> {
  const log = openSync(options.logFile, 'a', 0o600);
  const child = spawn(options.command, options.args, {
    cwd: options.cwd,
    env: options.env,
    stdio: options.ipc ? ['ignore', log, log, 'ipc'] : ['ignore', log, log],
    detached: true,
    ...options.user,
  });
  closeSync(log);

  let ending: string | null = null;
  child.once('exit', (code, signal) => {
    ending = signal ? `signal ${signal}` : `code ${code}`;
    if (child.pid !== undefined) options.guard?.forget(child.pid);
  });
  const pid = await spawned(child, options.name);
  options.guard?.watch(pid, options.stopSignal);
  return {
    pid,
    process: child,
    ending: () => ending,
    stop: () => endChild(child, options.stopSignal, options.stopDeadlineMs),
  };
}

/**
 * Polls `probe` until it gives something other than null, and returns that.
 *
 * @throws StartError when the child ends first or `deadlineMs` passes; it has ended then, and the message has its last log lines.
 */
export async function untilReady<T>(
  launched: Launched,
  options: { name: string; logFile: string; deadlineMs: number; signal?: AbortSignal | undefined },
  probe: () => Promise<T | null> | T | null,
): Promise<T> {
  const { name, logFile, deadlineMs, signal } = options;
  const deadline = Date.now() + deadlineMs;
  while (true) {
    const ending = launched.ending();
    if (ending) throw new StartError(`${name} ended with ${ending}:${lastLines(logFile)}`);
    const ready = await probe();
    if (ready !== null) return ready;
    if (signal?.aborted) {
      await launched.stop();
      throw new StartError(`${name} was stopped before it was ready`);
    }
    if (Date.now() > deadline) {
      await launched.stop();
      const seconds = Math.round(deadlineMs / 1000);
      throw new StartError(`${name} was not ready after ${seconds} s:${lastLines(logFile)}`);
    }
    await delay(15);
  }
}

/**
 * Starts one of our own processes, which sends a message once it serves, and waits for that.
 *
 * @throws StartError as `untilReady` does
 */
export async function launchOwn(
  options: Omit<LaunchOptions, 'command' | 'ipc' | 'stopSignal'> & {
    signal?: AbortSignal | undefined;
  },
): Promise<Launched> {
  const launched = await launch({
    ...options,
    command: process.execPath,
    ipc: true,
    stopSignal: 'SIGTERM',
  });
  let serves = false;
  launched.process.once('message', () => {
    serves = true;
  });
  const { name, logFile, signal } = options;
  const waiting = { name, logFile, deadlineMs: OWN_READY_MS, signal };
  await untilReady(launched, waiting, () => (serves ? true : null));
  return launched;
}

/** Sends `signal`, and SIGKILL after `deadlineMs`; resolves when the child is gone. */
export async function endChild(
  child: ChildProcess,
  signal: NodeJS.Signals,
  deadlineMs: number,
): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  child.kill(signal);
  const kill = setTimeout(() => child.kill('SIGKILL'), deadlineMs);
  await gone;
  clearTimeout(kill);
}

function spawned(child: ChildProcess, name: string): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once('spawn', () => resolve(child.pid ?? 0));
    child.once('error', (error) =>
      reject(new StartError(`${name} cannot be started: ${error.message}`)),
    );
  });
}
