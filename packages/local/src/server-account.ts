import { spawnSync } from 'node:child_process';
import { chmodSync, chownSync, cpSync, lstatSync, mkdirSync, readdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { getuid } from 'node:process';
import { StartError } from './errors.ts';

/** The unprivileged user that Postgres runs as when this process is root, which Postgres refuses to run as. */
export interface ServerAccount {
  name: string;
  uid: number;
  gid: number;
}

/**
 * `postgres`, made when it is missing, or `nobody` where no users can be made; null when this process is not root.
 *
 * @throws StartError when there is neither.
 */
export function serverAccount(): ServerAccount | null {
  if (getuid?.() !== 0) return null;
  const account = lookUp('postgres') ?? create('postgres') ?? lookUp('nobody');
  if (account) return account;
  throw new StartError(
    'Postgres does not run as root and the user "postgres" could not be made: set DATABASE_URL or start as another user',
  );
}

/** Whether `account` may enter every directory above `path`, and `path` itself if it exists and is a directory. */
export function mayEnter(account: ServerAccount, path: string): boolean {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat?.isDirectory() && !mayRead(account, path, 0o1)) return false;
  const parent = dirname(path);
  return parent === path || mayEnter(account, parent);
}

/** Whether the permission bits of `path` give `account` all of `bits` (as in `rwx`). */
export function mayRead(account: ServerAccount, path: string, bits: number): boolean {
  const { mode, uid, gid } = statSync(path);
  const shift = uid === account.uid ? 6 : gid === account.gid ? 3 : 0;
  return ((mode >> shift) & bits) === bits;
}

/** Makes a directory that only `account` (or this process's user) can look into. */
export function makePrivateDir(path: string, account: ServerAccount | null): void {
  mkdirSync(path, { recursive: true });
  chmodSync(path, 0o700);
  if (account) chownSync(path, account.uid, account.gid);
}

/** Copies a tree so that every user may read and run what its owner may. */
export function copyReadable(from: string, to: string): void {
  cpSync(from, to, { recursive: true, verbatimSymlinks: true });
  openUp(to);
}

function openUp(path: string): void {
  const stat = lstatSync(path);
  if (stat.isSymbolicLink()) return;
  chmodSync(path, stat.mode & 0o100 ? 0o755 : 0o644);
  if (!stat.isDirectory()) return;
  for (const name of readdirSync(path)) openUp(join(path, name));
}

function create(name: string): ServerAccount | null {
  const group = spawnSync('groupadd', ['--force', '--system', name]);
  if (group.status !== 0) return null;
  spawnSync('useradd', [
    '--system',
    '--gid',
    name,
    '--no-create-home',
    '--shell',
    '/bin/false',
    name,
  ]);
  return lookUp(name);
}

function lookUp(name: string): ServerAccount | null {
  const [uid, gid] = ['-u', '-g'].map((flag) => {
    const { stdout } = spawnSync('id', [flag, name], { encoding: 'utf8' });
    return Number.parseInt(stdout ?? '', 10);
  });
  if (uid === undefined || gid === undefined || Number.isNaN(uid) || Number.isNaN(gid)) return null;
  return { name, uid, gid };
}
