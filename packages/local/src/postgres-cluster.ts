import { execFile } from 'node:child_process';
import { chownSync, existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { StartError } from './errors.ts';
import { makePrivateDir, type ServerAccount } from './server-account.ts';

/** Postgres needs no more of the environment; a set LC_ALL keeps it from starting threads on macOS. */
export const SERVER_ENVIRONMENT = { LC_ALL: 'C', TZ: 'UTC' };

const run = promisify(execFile);

/**
 * Makes a database cluster in `dataDir`, unless there is one, with `password` for the superuser `postgres`.
 *
 * Takes a second. Leaves no half-made cluster behind when it is killed.
 */
export async function ensureCluster(options: {
  binaries: string;
  dataDir: string;
  account: ServerAccount | null;
  password: string;
  durable: boolean;
}): Promise<void> {
  const { binaries, dataDir, account, password, durable } = options;
  if (existsSync(join(dataDir, 'PG_VERSION'))) return;
  mkdirSync(dirname(dataDir), { recursive: true });
  const draft = `${dataDir}.new`;
  rmSync(draft, { recursive: true, force: true });
  makePrivateDir(draft, account);
  const passwordFile = `${draft}.password`;
  try {
    writeFileSync(passwordFile, `${password}\n`, { mode: 0o600 });
    if (account) chownSync(passwordFile, account.uid, account.gid);
    await initialise(binaries, draft, passwordFile, account, durable);
  } finally {
    rmSync(passwordFile, { force: true });
  }
  rmSync(dataDir, { recursive: true, force: true });
  renameSync(draft, dataDir);
}

async function initialise(
  binaries: string,
  dataDir: string,
  passwordFile: string,
  account: ServerAccount | null,
  durable: boolean,
): Promise<void> {
  const args = [
    `--pgdata=${dataDir}`,
    `--pwfile=${passwordFile}`,
    '--username=postgres',
    '--auth=scram-sha-256',
    '--encoding=UTF8',
    // Sorts and compares alike on every machine, whatever locales it has.
    '--locale=C',
    '--locale-provider=builtin',
    '--builtin-locale=C.UTF-8',
    ...(durable ? [] : ['--no-sync']),
  ];
  try {
    await run(join(binaries, 'bin', 'initdb'), args, {
      cwd: '/',
      env: SERVER_ENVIRONMENT,
      ...(account && { uid: account.uid, gid: account.gid }),
    });
  } catch (error) {
    const { stderr } = error as { stderr?: string };
    const reason = stderr?.trim().split('\n').at(-1) ?? String(error);
    throw new StartError(`Postgres could not make its data directory ${dataDir}: ${reason}`);
  }
}
