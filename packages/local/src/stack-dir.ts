import { chmodSync, existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { errorCode, oneLine, StartError } from './errors.ts';
import { removePostgresData } from './postgres-home.ts';

/** The files and directories of one stack's directory. */
export interface StackDir {
  path: string;
  secrets: string;
  /** Of access tokens, see `signing-keys.ts`. */
  signingKeys: string;
  stack: string;
  /** Who runs here, see `run-record.ts`. */
  record: string;
  logs: string;
  logFile: (name: string) => string;
}

/** Makes the directory unless it exists. */
export function openStackDir(path: string): StackDir {
  const logs = join(path, 'logs');
  try {
    if (!existsSync(path)) {
      mkdirSync(path, { recursive: true });
      // Whatever the umask: the user that Postgres runs as has to pass through. The files in it are private each.
      chmodSync(path, 0o755);
    }
    mkdirSync(logs, { recursive: true, mode: 0o700 });
  } catch (error) {
    if (errorCode(error) === null) throw error;
    throw new StartError(`GATEHOUSE_DIR ${path} cannot be used: ${oneLine(error)}`);
  }
  return {
    path,
    secrets: join(path, 'secrets.json'),
    signingKeys: join(path, 'signing-keys.json'),
    stack: join(path, 'stack.json'),
    record: join(path, 'run.json'),
    logs,
    logFile: (name) => join(logs, `${name}.log`),
  };
}

/** Deletes the data of earlier runs, and nothing else that may be in the directory. */
export function clearStackDir(dir: StackDir, keepSecrets: boolean): void {
  removePostgresData(join(dir.path, 'postgres'));
  for (const name of ['postgres.new', 'redis', 'mail', 'stripe']) {
    rmSync(join(dir.path, name), { recursive: true, force: true });
  }
  if (keepSecrets) return;
  for (const file of [dir.secrets, dir.signingKeys]) rmSync(file, { force: true });
}

/** Begins the logs anew; those of the run before stay as `logs.previous`. */
export function turnLogs(dir: StackDir): void {
  const previous = `${dir.logs}.previous`;
  rmSync(previous, { recursive: true, force: true });
  renameSync(dir.logs, previous);
  mkdirSync(dir.logs, { mode: 0o700 });
}
