import { setTimeout as delay } from 'node:timers/promises';

/** Sends a signal to a process; one that is gone already is left alone. Gives whether it was there. */
export function send(pid: number, signal: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, signal);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ESRCH') return false;
    throw error;
  }
}

/** Stops the processes in the middle of whatever they do, and lets them go on after a while. */
export async function freeze(pids: readonly number[], ms: number, signal: AbortSignal) {
  for (const pid of pids) send(pid, 'SIGSTOP');
  try {
    await delay(ms, undefined, { signal });
  } finally {
    for (const pid of pids) send(pid, 'SIGCONT');
  }
}
