import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { ifPresent } from './errors.ts';

/**
 * What tells a process from a later one that was given the same pid, or null when no such process runs.
 *
 * A zombie counts as gone: in a container nobody may ever collect it.
 */
export function processIdentity(pid: number): string | null {
  return process.platform === 'linux' ? fromProc(pid) : fromPs(pid);
}

function fromProc(pid: number): string | null {
  const stat = ifPresent(() => readFileSync(`/proc/${pid}/stat`, 'utf8'));
  if (stat === null) return null;
  // proc(5): the command, in parentheses, may hold anything; the state is the third field, the start time the 22nd.
  const [state = 'X', ...rest] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return 'ZXx'.includes(state) ? null : `${rest[18]}`;
}

function fromPs(pid: number): string | null {
  const { stdout } = spawnSync('ps', ['-o', 'stat=,lstart=', '-p', `${pid}`], { encoding: 'utf8' });
  const [state = 'Z', ...started] = stdout.trim().split(/\s+/);
  return state === '' || state.startsWith('Z') ? null : started.join(' ');
}
