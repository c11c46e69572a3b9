import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { assertPortFree, freePort } from '@gatehouse/local/ports';
import { removePostgresData } from '@gatehouse/local/postgres-home';
import type { Stack } from '@gatehouse/local/stack-file';
import { until } from '@gatehouse/testing/condition';

const ROOT = join(import.meta.dirname, '..');
const START_MS = 120_000;
const STOP_MS = 60_000;

/** A whole stack of real processes of its own, in a directory of its own, to be mistreated. */
export interface FaultyStack {
  readonly dir: string;
  readonly logs: string;
  /** Where the mail server keeps what it received, a file a message. */
  readonly mailDir: string;
  /** As its `stack.json` says at this moment. */
  now(): Stack;
  /** Ends it and deletes its data, save the logs when they are to be kept. */
  stop(options: { keepLogs: boolean }): Promise<void>;
}

/**
 * Starts two gateways, two workers and all that they use, as `npm start` does.
 *
 * @throws when it is not up after two minutes; nothing of it runs then.
 */
export async function startFaultyStack(): Promise<FaultyStack> {
  const dir = mkdtempSync(join(tmpdir(), 'gatehouse-faults-'));
  // The user that Postgres runs as has to pass through.
  chmodSync(dir, 0o755);
  const stackFile = join(dir, 'stack.json');
  const start = spawn(process.execPath, [join(ROOT, 'packages/local/src/start.ts')], {
    cwd: ROOT,
    env: { ...process.env, ...(await settings(dir)) },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  for (const stream of [start.stdout, start.stderr]) {
    stream.on('data', (chunk) => {
      said += chunk;
    });
  }
  const stack: FaultyStack = {
    dir,
    logs: join(dir, 'logs'),
    mailDir: join(dir, 'mail'),
    now: () => JSON.parse(readFileSync(stackFile, 'utf8')) as Stack,
    async stop({ keepLogs }) {
      await end(start);
      for (const name of ['postgres', 'redis', 'mail']) {
        if (name === 'postgres') removePostgresData(join(dir, name));
        rmSync(join(dir, name), { recursive: true, force: true });
      }
      if (!keepLogs) rmSync(dir, { recursive: true, force: true });
    },
  };
  try {
    await until(() => existsSync(stackFile) || start.exitCode !== null, {
      what: 'the stack to be up',
      timeoutMs: START_MS,
    });
    if (start.exitCode !== null) throw new Error(`the stack did not start:\n${said}`);
    return stack;
  } catch (error) {
    await stack.stop({ keepLogs: false });
    throw error;
  }
}

async function settings(dir: string): Promise<NodeJS.ProcessEnv> {
  return {
    GATEHOUSE_DIR: dir,
    PORT: `${await twoFreePorts()}`,
    METRICS_PORT: '0',
    APIS: '2',
    WORKERS: '2',
    RATE_LIMIT_MAX: '0',
    RATE_LIMIT_AUTH_MAX: '0',
    // Nobody is ever refused for want of money: a rejected purchase would be a finding.
    PAPER_STARTING_CASH: '900000000000.00',
    // Embedded, whatever a developer has in `.env`.
    DATABASE_URL: '',
    REDIS_URL: '',
    SMTP_URL: '',
    STRIPE_SECRET_KEY: '',
  };
}

/** A port that is free, as is the next one. */
async function twoFreePorts(): Promise<number> {
  while (true) {
    const port = await freePort();
    const isFree = await assertPortFree(port + 1, 'APIS').then(
      () => true,
      () => false,
    );
    if (isFree) return port;
  }
}

async function end(start: ChildProcess): Promise<void> {
  if (start.exitCode !== null || start.signalCode !== null) return;
  const ended = once(start, 'exit');
  start.kill('SIGTERM');
  // Its guard ends what it leaves behind.
  const kill = setTimeout(() => start.kill('SIGKILL'), STOP_MS);
  await ended;
  clearTimeout(kill);
}
