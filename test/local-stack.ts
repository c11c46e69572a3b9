import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '@gatehouse/local/ports';
import type { Stack } from '@gatehouse/local/stack-file';
import { until } from '@gatehouse/testing/condition';
import { onTestFinished } from 'vitest';
import { ROOT } from './repository.ts';

export const START_MS = 120_000;

/** What `npm start` runs, with its data in a directory of its own; gone when the test is. */
export function localStack(settings: Record<string, string>) {
  const dir = mkdtempSync(join(tmpdir(), 'gatehouse-start-'));
  // The user that Postgres runs as has to pass through.
  chmodSync(dir, 0o755);
  const file = join(dir, 'stack.json');
  let running: ChildProcess | null = null;

  async function start(): Promise<Stack> {
    let said = '';
    const child = spawn(process.execPath, [join(ROOT, 'packages/local/src/start.ts')], {
      cwd: ROOT,
      env: {
        ...process.env,
        GATEHOUSE_DIR: dir,
        PORT: `${await freePort()}`,
        APIS: '1',
        METRICS_PORT: '0',
        // Embedded, whatever a developer has in `.env`.
        DATABASE_URL: '',
        REDIS_URL: '',
        SMTP_URL: '',
        STRIPE_SECRET_KEY: '',
        STRIPE_WEBHOOK_SECRETS: '',
        ...settings,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    running = child;
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk) => {
        said += chunk;
      });
    }
    const isOver = () => existsSync(file) || child.exitCode !== null;
    await until(isOver, { what: 'the stack to be up', timeoutMs: START_MS });
    if (child.exitCode !== null) throw new Error(`the stack did not start:\n${said}`);
    return now();
  }

  async function end(signal: NodeJS.Signals): Promise<void> {
    if (running === null || running.exitCode !== null || running.signalCode !== null) return;
    const ended = once(running, 'exit');
    running.kill(signal);
    await ended;
  }

  const now = (): Stack => JSON.parse(readFileSync(file, 'utf8')) as Stack;
  onTestFinished(async () => {
    await end('SIGTERM');
    rmSync(dir, { recursive: true, force: true });
  }, START_MS);
  return { start, now, stop: () => end('SIGTERM') };
}

/** Asks the API of a stack as its demo user. */
export async function ask<T>({ apiUrl, demo }: Stack, path: string, body?: object): Promise<T> {
  const response = await fetch(`${apiUrl}${path}`, {
    headers: {
      authorization: `Bearer ${demo.user?.apiKey}`,
      'content-type': 'application/json',
      'idempotency-key': crypto.randomUUID(),
    },
    ...(body && { method: 'POST', body: JSON.stringify(body) }),
  });
  if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
  return (await response.json()) as T;
}
