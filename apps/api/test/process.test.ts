import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { expect, onTestFinished, test } from 'vitest';
import { freshKey, order, startGateway } from './harness.ts';

const MAIN = join(import.meta.dirname, '../src/main.ts');

function run(environment: Record<string, string>): ChildProcess {
  const child = spawn(process.execPath, [MAIN], {
    env: { PATH: process.env.PATH, LOG_LEVEL: 'warn', ...environment },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  onTestFinished(async () => {
    child.kill('SIGKILL');
  });
  return child;
}

async function failure(environment: Record<string, string>): Promise<string> {
  const child = run(environment);
  if (child.stderr === null) throw new Error('the child has no standard error');
  const [output] = await Promise.all([text(child.stderr), once(child, 'exit')]);
  expect(child.exitCode).toBe(1);
  return output;
}

test('a start without a sane configuration ends with one line that names every variable', async () => {
  const output = await failure({ PORT: 'http', RATE_LIMIT_MAX: '-1', DATABASE_URL: 'mysql://x' });
  expect(output.trim().split('\n')).toHaveLength(1);
  for (const name of [
    'PORT',
    'RATE_LIMIT_MAX',
    'DATABASE_URL',
    'REDIS_URL',
    'AUTH_SECRET',
    'AUTH_SIGNING_KEYS',
    'WEBHOOK_SECRET_KEYS',
  ]) {
    expect(output).toContain(name);
  }
});

test('a port in use and a bad signing key are one line each', async () => {
  const { config } = await startGateway();
  const settings = {
    DATABASE_URL: config.DATABASE_URL,
    REDIS_URL: config.REDIS_URL,
    AUTH_SECRET: config.AUTH_SECRET,
    AUTH_SIGNING_KEYS: config.AUTH_SIGNING_KEYS,
    WEBHOOK_SECRET_KEYS: config.WEBHOOK_SECRET_KEYS,
  };
  const other: Server = createServer().listen(0, '127.0.0.1');
  await once(other, 'listening');
  onTestFinished(async () => {
    other.close();
  });
  const address = other.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  expect(await failure({ ...settings, PORT: String(port) })).toMatch(
    new RegExp(`^[^\n]*EADDRINUSE[^\n]*${port}\n$`),
  );
  expect(await failure({ ...settings, AUTH_SIGNING_KEYS: 'bm8=' })).toMatch(
    /^[^\n]*AUTH_SIGNING_KEYS[^\n]*\n$/,
  );
});

test('at SIGTERM what was begun is answered, and the process leaves with 0', async () => {
  const { config, db, client } = await startGateway();
  const { token } = await client();
  const child = run({
    PORT: '0',
    DATABASE_URL: config.DATABASE_URL,
    REDIS_URL: config.REDIS_URL,
    AUTH_SECRET: config.AUTH_SECRET,
    AUTH_SIGNING_KEYS: config.AUTH_SIGNING_KEYS,
    WEBHOOK_SECRET_KEYS: config.WEBHOOK_SECRET_KEYS,
    // A busy machine is late, and nothing is to be turned away for that.
    MAX_EVENT_LOOP_DELAY_MS: '0',
  });
  const [{ url }] = await once(child, 'message');
  const place = () =>
    fetch(`${url}/v1/orders`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${token}`,
        'content-type': 'application/json',
        ...freshKey(),
      },
      body: JSON.stringify(order()),
    });
  expect((await place()).status).toBe(201);

  // Holds the commit of what comes next until after the signal.
  let answered: Promise<Response> | undefined;
  await db.$transaction(async (tx) => {
    await tx.$executeRaw`LOCK TABLE "order" IN ACCESS EXCLUSIVE MODE`;
    answered = place();
    await expect
      .poll(() => tx.$queryRaw`SELECT 1 FROM pg_locks WHERE NOT granted`, { timeout: 5_000 })
      .toHaveLength(1);
    child.kill('SIGTERM');
    await expect
      .poll(() =>
        fetch(`${url}/health`).then(
          ({ status }) => status,
          () => 'refused',
        ),
      )
      .not.toBe(200);
  });
  expect((await answered)?.status).toBe(201);
  const [code] = await once(child, 'exit');
  expect(code).toBe(0);
  expect(await db.order.count()).toBe(2);
  expect(await db.job.count()).toBe(2);
});
