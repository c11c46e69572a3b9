import { setTimeout as delay } from 'node:timers/promises';

/** Sends a signal to a process, 0 to none; one that is gone already is left alone. Gives whether it was there. */
export function send(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(pid, signal);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ESRCH') return false;
    throw error;
  }
}

/** Whether there is a process of this id. */
export function isThere(pid: number): boolean {
  return send(pid, 0);
}

/** Stops the processes in the middle of whatever they do, and lets them go on after a while. */
export function freeze(pids: readonly number[], ms: number, signal: AbortSignal): Promise<void> {
  return freezeWhile(pids, () => delay(ms, undefined, { signal }));
}

/** Stops the processes in the middle of whatever they do, and lets them go on when `meanwhile` is over. */
export async function freezeWhile(
  pids: readonly number[],
  meanwhile: () => Promise<void>,
): Promise<void> {
  for (const pid of pids) send(pid, 'SIGSTOP');
  try {
    await meanwhile();
  } finally {
    for (const pid of pids) send(pid, 'SIGCONT');
  }
}
