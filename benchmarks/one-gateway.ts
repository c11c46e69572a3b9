import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { freePort } from '@gatehouse/local/ports';
import { removePostgresData } from '@gatehouse/local/postgres-home';
import type { Stack } from '@gatehouse/local/stack-file';

const ROOT = join(import.meta.dirname, '..');
const ORDERS = 20;

export interface OneGateway {
  url: string;
  stack: Stack;
  /** Of an account that has some orders. */
  token: string;
  stop(): Promise<void>;
}

/** Starts a whole stack with one gateway, as `npm start` does, in a directory of its own. */
export async function startOneGateway(settings: Record<string, string>): Promise<OneGateway> {
  const dir = mkdtempSync(join(tmpdir(), 'gatehouse-benchmark-'));
  // The user that Postgres runs as has to pass through.
  chmodSync(dir, 0o755);
  const start = spawn(process.execPath, [join(ROOT, 'packages/local/src/start.ts')], {
    cwd: ROOT,
    env: {
      ...process.env,
      GATEHOUSE_DIR: dir,
      PORT: `${await freePort()}`,
      METRICS_PORT: '0',
      APIS: '1',
      WORKERS: '1',
      RATE_LIMIT_MAX: '0',
      RATE_LIMIT_AUTH_MAX: '0',
      // Embedded, whatever a developer has in `.env`.
      DATABASE_URL: '',
      REDIS_URL: '',
      SMTP_URL: '',
      STRIPE_SECRET_KEY: '',
      ...settings,
    },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const stop = async () => {
    if (start.exitCode === null) {
      const ended = once(start, 'exit');
      start.kill('SIGTERM');
      await ended;
    }
    removePostgresData(join(dir, 'postgres'));
    rmSync(dir, { recursive: true, force: true });
  };
  const stackFile = join(dir, 'stack.json');
  while (!existsSync(stackFile)) {
    if (start.exitCode !== null) throw new Error('the stack did not start');
    await delay(100);
  }
  const stack = JSON.parse(readFileSync(stackFile, 'utf8')) as Stack;
  const { apiUrl: url } = stack;
  try {
    return { url, stack, token: await openAccount(url), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function openAccount(url: string): Promise<string> {
  const post = async (path: string, body: object, headers: Record<string, string> = {}) => {
    const response = await fetch(`${url}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
    });
    if (response.status !== 201) throw new Error(`${path}: ${response.status}`);
    return response.json() as Promise<{ accessToken: string }>;
  };
  const { accessToken } = await post('/v1/auth/register', {
    email: 'benchmark@example.com',
    password: 'wild rhubarb orchestra',
    name: 'Benchmark',
  });
  for (let index = 0; index < ORDERS; index += 1) {
    const order = { symbol: 'AAPL', side: 'buy', type: 'market', quantity: '1' };
    const headers = { authorization: `Bearer ${accessToken}`, 'idempotency-key': `order-${index}` };
    await post('/v1/orders', order, headers);
  }
  return accessToken;
}
