import { readdirSync, readFileSync, readlinkSync, realpathSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { errorCode, ifPresent } from './errors.ts';
import { processIdentity } from './process-identity.ts';
import { endProcesses } from './run-record.ts';

const GRACE_MS = 2000;

/**
 * Clears away what a postmaster that was killed with SIGKILL leaves on a data directory: back ends that have not yet
 * noticed (they hold the shared memory, so that no new postmaster may start), and a lock file that names a pid which
 * by now may be a zombie or another's.
 *
 * Does nothing while a postmaster runs there. Where there is no /proc, Postgres' own checks and the caller's patience must do.
 */
export async function clearOrphans(dataDir: string): Promise<void> {
  if (process.platform !== 'linux') return;
  const here = processesIn(ifPresent(() => realpathSync(dataDir)) ?? dataDir);
  const postmaster = lockHolder(dataDir);
  if (postmaster !== null && here.includes(postmaster)) return;
  const orphans = here.flatMap((pid) => {
    const identity = processIdentity(pid);
    return identity === null ? [] : [{ pid, identity, signal: 'SIGQUIT' as const }];
  });
  await endProcesses(orphans, GRACE_MS);
  // Safe now: the lock guards against back ends that still run, and none does.
  if (postmaster !== null) rmSync(join(dataDir, 'postmaster.pid'), { force: true });
}

function lockHolder(dataDir: string): number | null {
  const lock = ifPresent(() => readFileSync(join(dataDir, 'postmaster.pid'), 'utf8'));
  return lock === null ? null : Number.parseInt(lock, 10);
}

/** Every process of a cluster works in its data directory. */
function processesIn(dir: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && workingDir(name) === dir)
    .map(Number);
}

function workingDir(pid: string): string | null {
  try {
    return readlinkSync(`/proc/${pid}/cwd`);
  } catch (error) {
    // Gone meanwhile, or somebody else's.
    if (['ENOENT', 'ESRCH', 'EACCES', 'EPERM'].includes(errorCode(error) ?? '')) return null;
    throw error;
  }
}
