import { mkdirSync } from 'node:fs';
import { connect } from 'node:net';
import type { Guard } from './guard.ts';
import { launch, type Service, untilReady } from './launch.ts';
import { redisBinary } from './redis-binary.ts';

const READY_DEADLINE_MS = 60_000;
const STOP_DEADLINE_MS = 10_000;
const PING_TIMEOUT_MS = 1000;

export interface Redis extends Service {
  readonly url: string;
}

export interface RedisOptions {
  /** Where its append-only file lives. */
  dir: string;
  port: number;
  logFile: string;
  /** True keeps the data over restarts (fsync every second); false keeps it in memory only. */
  appendOnly: boolean;
  /** How many numbered databases. */
  databases?: number;
  /** Where to look for the server: the PATH. */
  searchPath: string;
  /** Takes a line when something takes long. */
  notice?: (line: string) => void;
  guard?: Guard | undefined;
  signal?: AbortSignal | undefined;
}

/**
 * Starts a Redis (or Valkey) server on 127.0.0.1 and waits until it answers, its append-only file loaded.
 *
 * Can be called again with the same options after its process died.
 *
 * @throws StartError when there is none to be had, or when it is not up after a minute.
 */
export async function startRedis(options: RedisOptions): Promise<Redis> {
  const { dir, port, logFile } = options;
  const command = await redisBinary(options.searchPath, options.notice ?? (() => undefined));
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  const launched = await launch({
    name: 'Redis',
    command,
    args: settings(options),
    cwd: dir,
    env: {},
    logFile,
    stopSignal: 'SIGTERM',
    stopDeadlineMs: STOP_DEADLINE_MS,
    guard: options.guard,
  });
  const ready = { name: 'Redis', logFile, deadlineMs: READY_DEADLINE_MS, signal: options.signal };
  await untilReady(launched, ready, async () => ((await pong(port)) ? true : null));
  return { ...launched, url: `redis://127.0.0.1:${port}` };
}

function settings({ dir, port, appendOnly, databases = 16 }: RedisOptions): string[] {
  const values = {
    bind: '127.0.0.1',
    port: `${port}`,
    dir,
    databases: `${databases}`,
    save: '',
    appendonly: appendOnly ? 'yes' : 'no',
    appendfsync: 'everysec',
    // Evicting a job would lose it: a full Redis must refuse instead.
    'maxmemory-policy': 'noeviction',
    daemonize: 'no',
  };
  return Object.entries(values).flatMap(([name, value]) => [`--${name}`, value]);
}

/** Whether it answers PING with PONG; while it loads its file it answers with an error. */
function pong(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1', timeout: PING_TIMEOUT_MS });
    const settle = (answer: boolean) => {
      socket.destroy();
      resolve(answer);
    };
    socket.once('connect', () => socket.write('PING\r\n'));
    socket.once('data', (data) => settle(data.toString('latin1').startsWith('+PONG')));
    socket.once('timeout', () => settle(false));
    socket.once('error', () => settle(false));
    socket.once('close', () => settle(false));
  });
}
