import { join } from 'node:path';
import { StartError } from './errors.ts';
import type { Guard } from './guard.ts';
import { launch, type Service, untilReady } from './launch.ts';
import { answers, createDatabaseIfMissing } from './postgres-admin.ts';
import { ensureCluster, SERVER_ENVIRONMENT } from './postgres-cluster.ts';
import { postgresBinaries, postgresDataDir, removePostgresData } from './postgres-home.ts';
import { clearOrphans } from './postgres-orphans.ts';
import { serverAccount } from './server-account.ts';

const READY_DEADLINE_MS = 60_000;
const STOP_DEADLINE_MS = 10_000;
/** What Postgres says while something of a killed predecessor is still about. */
const NOT_YET = /pre-existing shared memory block|lock file .* already exists|could not bind/;

export interface Postgres extends Service {
  /** The superuser's URL of a database of this server. */
  url(database: string): string;
}

export interface PostgresOptions {
  /** The data directory. May become a link to one elsewhere, see `postgres-home.ts`. */
  dir: string;
  port: number;
  /** The superuser's; must be the same every time for the same directory. */
  password: string;
  logFile: string;
  /** Created when it is missing. */
  database?: string;
  /** False trades safety at a power cut for speed: tests only. */
  durable?: boolean;
  /** Begin with an empty data directory. */
  fresh?: boolean;
  guard?: Guard | undefined;
  signal?: AbortSignal | undefined;
}

/**
 * Starts a Postgres server on 127.0.0.1 and waits until it answers.
 *
 * Can be called again with the same options after its process died in whatever way: the data is still there.
 *
 * @throws StartError when it is not up after a minute.
 */
export async function startPostgres(options: PostgresOptions): Promise<Postgres> {
  const { dir, password, database = 'gatehouse', durable = true } = options;
  const account = serverAccount();
  const binaries = postgresBinaries(account);
  if (options.fresh) removePostgresData(dir);
  const dataDir = postgresDataDir(dir, account);
  await ensureCluster({ binaries, dataDir, account, password, durable });

  const url = (name: string) =>
    `postgresql://postgres:${encodeURIComponent(password)}@127.0.0.1:${options.port}/${name}`;
  const service = await untilUp(
    { ...options, durable },
    { binaries, dataDir, account },
    url('postgres'),
  );
  await createDatabaseIfMissing(url('postgres'), database);
  return { ...service, url };
}

async function untilUp(
  options: PostgresOptions & { durable: boolean },
  home: { binaries: string; dataDir: string; account: ReturnType<typeof serverAccount> },
  adminUrl: string,
): Promise<Service> {
  const deadline = Date.now() + READY_DEADLINE_MS;
  while (true) {
    await clearOrphans(home.dataDir);
    const launched = await launch({
      name: 'Postgres',
      command: join(home.binaries, 'bin', 'postgres'),
      args: ['-D', home.dataDir, ...settings(options.port, options.durable)],
      cwd: '/',
      env: SERVER_ENVIRONMENT,
      user: home.account && { uid: home.account.uid, gid: home.account.gid },
      logFile: options.logFile,
      // Fast shutdown: SIGTERM would wait until every client has left.
      stopSignal: 'SIGINT',
      stopDeadlineMs: STOP_DEADLINE_MS,
      guard: options.guard,
    });
    const ready = { name: 'Postgres', logFile: options.logFile, signal: options.signal };
    try {
      const deadlineMs = Math.max(deadline - Date.now(), 0);
      await untilReady(launched, { ...ready, deadlineMs }, async () =>
        (await answers(adminUrl)) ? true : null,
      );
      return launched;
    } catch (error) {
      await launched.stop();
      const again = error instanceof StartError && NOT_YET.test(error.message);
      if (!again || options.signal?.aborted || Date.now() > deadline) throw error;
    }
  }
}

function settings(port: number, durable: boolean): string[] {
  const values = {
    listen_addresses: '127.0.0.1',
    port: `${port}`,
    // Any user of the machine could reach a socket; a password is asked for on TCP.
    unix_socket_directories: '',
    max_connections: '200',
    ...(durable ? {} : { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off' }),
  };
  return Object.entries(values).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
}
