import { spawn } from 'node:child_process';
import { rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { StartError } from './errors.ts';
import { processIdentity } from './process-identity.ts';
import { claimRecord, endProcesses, type RunRecord, writeRecord } from './run-record.ts';

const GUARD_PROCESS = fileURLToPath(new URL('./guard-process.ts', import.meta.url));
const LEFTOVER_GRACE_MS = 5000;

/** Sees to it that nothing this process started outlives it, even when it is killed with SIGKILL. */
export interface Guard {
  /** Puts a process under guard; `signal` asks it to end in its quickest orderly way. */
  watch(pid: number, signal: NodeJS.Signals): void;
  /** Takes a process that has ended off the list. */
  forget(pid: number): void;
  /** Ends the guard, and with it everything still under guard; removes the record. */
  release(): Promise<void>;
}

/**
 * Claims `recordFile`, ends what a dead predecessor left running there, and starts a guard process.
 *
 * @param remove files and directories to delete when this process dies without {@link Guard.release}.
 * @throws StartError when the predecessor is alive.
 */
export async function startGuard(recordFile: string, remove: string[] = []): Promise<Guard> {
  const identity = processIdentity(process.pid);
  if (identity === null) throw new StartError('cannot read the process table');
  const record: RunRecord = { owner: { pid: process.pid, identity }, processes: [], remove };

  const leftover = claimRecord(recordFile, record);
  if (leftover) await endProcesses(leftover.processes, LEFTOVER_GRACE_MS);

  const { child, exited } = spawnGuard(recordFile);
  return {
    watch(pid, signal) {
      const started = processIdentity(pid);
      if (started === null) return;
      record.processes.push({ pid, identity: started, signal });
      writeRecord(recordFile, record);
    },
    forget(pid) {
      record.processes = record.processes.filter((recorded) => recorded.pid !== pid);
      writeRecord(recordFile, record);
    },
    async release() {
      child.ref();
      child.stdin.end();
      await exited;
      rmSync(recordFile, { force: true });
    },
  };
}

function spawnGuard(recordFile: string) {
  // A session of its own, so that what kills this process's group leaves the guard alive to tidy up.
  const child = spawn(process.execPath, [GUARD_PROCESS, recordFile], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  });
  const exited = new Promise<void>((resolve) => {
    child.once('exit', () => resolve());
    child.once('error', () => resolve());
  });
  // Otherwise a guard that somebody killed would take this process along with an EPIPE.
  child.stdin.on('error', () => child.stdin.destroy());
  child.unref();
  return { child, exited };
}
