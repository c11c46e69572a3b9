import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { getuid } from 'node:process';
import { errorCode, StartError } from './errors.ts';
import { runQuietly } from './run-quietly.ts';

const NAMES = ['redis-server', 'valkey-server'];
const OLDEST_MAJOR = 7;
const INSTALL_HINT = 'install redis-server (7 or newer) or valkey-server, or set REDIS_URL';
/** Debian asks this file before it starts a service that was just installed; exit code 101 forbids it. */
const POLICY = '/usr/sbin/policy-rc.d';

/**
 * The path of a Redis or Valkey server on `searchPath`; installs Debian's when there is none and this process is root.
 *
 * @param notice takes a line before the installation, which takes a while.
 * @throws StartError with what to install.
 */
export async function redisBinary(
  searchPath: string,
  notice: (line: string) => void,
): Promise<string> {
  const found = findRedis(searchPath) ?? (await install(searchPath, notice));
  const { stdout } = spawnSync(found, ['--version'], { encoding: 'utf8' });
  const major = Number(/\bv=(\d+)/.exec(stdout ?? '')?.[1]);
  if (major < OLDEST_MAJOR) throw new StartError(`${found} is version ${major}: ${INSTALL_HINT}`);
  return found;
}

/** The first Redis or Valkey server on `searchPath`, or null. */
export function findRedis(searchPath: string): string | null {
  const candidates = NAMES.flatMap((name) =>
    searchPath.split(delimiter).map((dir) => join(dir, name)),
  );
  return candidates.find(isExecutable) ?? null;
}

async function install(searchPath: string, notice: (line: string) => void): Promise<string> {
  const canInstall = getuid?.() === 0 && existsSync('/usr/bin/apt-get');
  if (!canInstall) throw new StartError(`there is no redis-server on the PATH: ${INSTALL_HINT}`);
  notice('there is no redis-server on the PATH: installing it with apt-get (takes a minute)');
  const failure = await installFromDebian(searchPath);
  const found = findRedis(`/usr/bin${delimiter}${searchPath}`);
  if (found) return found;
  throw new StartError(`apt-get could not install redis-server (${failure}): ${INSTALL_HINT}`);
}

/** Gives why it failed, on one line. */
async function installFromDebian(searchPath: string): Promise<string> {
  const env = { PATH: searchPath, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' };
  const wait = ['-o', 'DPkg::Lock::Timeout=120', '-q'];
  const ownPolicy = !existsSync(POLICY);
  if (ownPolicy) writeFileSync(POLICY, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  try {
    // Stale lists may still be good enough: let the installation tell.
    const update = await runQuietly('apt-get', [...wait, 'update'], env);
    const packages = [
      'install',
      '--yes',
      '--no-upgrade',
      '--no-install-recommends',
      'redis-server',
    ];
    const failure = await runQuietly('apt-get', [...wait, ...packages], env);
    return failure ?? update ?? 'no reason given';
  } finally {
    if (ownPolicy) rmSync(POLICY, { force: true });
  }
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'EACCES'].includes(errorCode(error) ?? '')) return false;
    throw error;
  }
}
