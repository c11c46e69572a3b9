import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createDatabase } from '@gatehouse/db/client';
import { freePort } from '@gatehouse/local/ports';
import type { Stack } from '@gatehouse/local/stack-file';
import { until } from '@gatehouse/testing/condition';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ROOT, readText } from './repository.ts';

const START_MS = 120_000;
const TOUR_MS = 60_000;

/** The commands of the tour, in their order. */
function tour(): string[] {
  const section = /^## A tour\n(.*?)^## /ms.exec(readText('README.md'))?.[1] ?? '';
  return [...section.matchAll(/^```sh\n(.*?)^```$/gms)].map(([, commands = '']) => commands);
}

interface Outcome {
  code: number;
  stdout: string;
  stderr: string;
}

function bash(script: string, environment: NodeJS.ProcessEnv): Promise<Outcome> {
  const options = { cwd: ROOT, env: environment, timeout: TOUR_MS };
  return new Promise((resolve) => {
    execFile('bash', ['-euo', 'pipefail', '-c', script], options, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code ?? -1), stdout, stderr });
    });
  });
}

/** Dollars with two decimals, in cents. */
const cents = (amount: string): bigint => BigInt(amount.replace(/\.(\d\d)$/, '$1'));

describe('the tour of the README', () => {
  const dir = mkdtempSync(join(tmpdir(), 'gatehouse-readme-'));
  const stackFile = join(dir, 'stack.json');
  let start: ChildProcess;
  let said = '';
  let outcome: Outcome;
  let firstWorker: number | undefined;

  const stack = (): Stack => JSON.parse(readFileSync(stackFile, 'utf8')) as Stack;
  const get = async <T>(path: string): Promise<T> => {
    const { apiUrl, demo } = stack();
    const headers = { authorization: `Bearer ${demo.user?.apiKey}` };
    const response = await fetch(`${apiUrl}${path}`, { headers });
    if (!response.ok) throw new Error(`${path}: ${response.status}`);
    return (await response.json()) as T;
  };

  beforeAll(async () => {
    // The user that Postgres runs as has to pass through.
    chmodSync(dir, 0o755);
    const { DATABASE_URL, REDIS_URL, SMTP_URL, ...inherited } = process.env;
    const environment = { ...inherited, GATEHOUSE_DIR: dir };
    start = spawn('npm', ['start'], {
      cwd: ROOT,
      env: {
        ...environment,
        PORT: `${await freePort()}`,
        METRICS_PORT: '0',
        // Embedded, whatever a developer has in `.env`.
        DATABASE_URL: '',
        REDIS_URL: '',
        SMTP_URL: '',
        STRIPE_SECRET_KEY: '',
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [start.stdout, start.stderr]) {
      stream?.on('data', (chunk) => {
        said += chunk;
      });
    }
    await until(() => existsSync(stackFile) || start.exitCode !== null, {
      what: 'the stack to be up',
      timeoutMs: START_MS,
    });
    if (start.exitCode !== null) throw new Error(`npm start ended:\n${said}`);
    firstWorker = stack().workerPids[0];
    outcome = await bash(tour().join('\n'), environment);
  }, START_MS + TOUR_MS);

  afterAll(async () => {
    // npm cannot pass on that it is killed; what the stack started ends with it.
    if (existsSync(stackFile)) process.kill(stack().pid, 'SIGKILL');
    if (start.exitCode === null && start.signalCode === null) {
      const ended = once(start, 'exit');
      start.kill('SIGKILL');
      await ended;
    }
    rmSync(dir, { recursive: true, force: true });
  });

  it('runs to its end', () => {
    expect(outcome.code, outcome.stdout + outcome.stderr).toBe(0);
    expect(outcome.stdout).toMatch(/all \d+ invariants hold\n$/);
  });

  it('shows that a retry is answered as the first time, and another order under its key refused', () => {
    expect(outcome.stdout.match(/^idempotent-replayed: true\r?$/gim)).toHaveLength(1);
    expect(outcome.stdout).toContain('"code":"idempotency_key_reused"');
    const locations = outcome.stdout.match(/^location: \/v1\/orders\/.*$/gim) ?? [];
    expect(locations).toHaveLength(2);
    expect(new Set(locations).size).toBe(1);
  });

  it('shows that a session which is logged out lets nobody in', () => {
    expect(outcome.stdout).toContain('"isCurrent":true');
    expect(outcome.stdout.match(/"code":"unauthorized"/g)).toHaveLength(1);
  });

  it('fills each order once, also the one that came when the worker was dead', async () => {
    const orders = await get<{ data: Record<string, string>[] }>('/v1/orders');
    expect(orders.data).toMatchObject([
      { symbol: 'MSFT', quantity: '1', filledQuantity: '1', status: 'filled' },
      { symbol: 'AAPL', quantity: '3', filledQuantity: '3', status: 'filled' },
    ]);
    const positions = await get<{ data: Record<string, string>[] }>('/v1/positions');
    expect(positions.data).toMatchObject([
      { symbol: 'MSFT', quantity: '1' },
      { symbol: 'AAPL', quantity: '3' },
    ]);
    expect(() => process.kill(firstWorker ?? 0, 0)).toThrow('ESRCH');
    await until(() => stack().workerPids[0] !== firstWorker, { what: 'another worker' });
  });

  it('leaves a ledger that balances', async () => {
    interface Entry {
      transactionId: string;
      kind: string;
      ledger: string;
      amount: string;
    }
    const { data } = await get<{ data: Entry[] }>('/v1/account/ledger?limit=100');
    const sum = (entries: Entry[]) =>
      entries.reduce((total, { amount }) => total + cents(amount), 0n);
    const transactions = Object.values(Object.groupBy(data, ({ transactionId }) => transactionId));
    expect(transactions.map((entries = []) => [entries[0]?.kind, sum(entries)])).toEqual([
      ['refund', 0n],
      ['deposit', 0n],
      ['fill', 0n],
      ['fill', 0n],
      ['paper_grant', 0n],
    ]);
    const { cash } = await get<{ cash: string }>('/v1/account');
    expect(sum(data.filter(({ ledger }) => ledger === 'cash'))).toBe(cents(cash));
    expect(cents(cash)).toBeLessThan(100_000_00n);
  });

  it('takes one deposit, and gives back what was refunded of it, to the cent', async () => {
    const deposits = await get<{ data: Record<string, unknown>[] }>('/v1/deposits');
    expect(deposits.data).toMatchObject([
      { status: 'succeeded', amount: 25_000, receivedAmount: 25_000, refundedAmount: 5_000 },
    ]);
    interface Entry {
      kind: string;
      ledger: string;
      amount: string;
    }
    const { data } = await get<{ data: Entry[] }>('/v1/account/ledger?limit=100');
    const moved = data.flatMap(({ kind, ledger, amount }) =>
      ledger === 'cash' && ['deposit', 'refund'].includes(kind) ? [[kind, cents(amount)]] : [],
    );
    expect(moved).toEqual([
      ['refund', -5_000n],
      ['deposit', 25_000n],
    ]);
    expect(await get('/v1/account')).toMatchObject({ owed: '0.00' });
  });

  it('has a task, and sends its reminder and a mail of each order and movement of money, once', async () => {
    const tasks = await get<{ data: { title: string }[] }>('/v1/tasks');
    expect(tasks.data).toMatchObject([{ title: 'Look at the market' }]);

    const inbox = async () => {
      const response = await fetch(`${stack().mailUrl}/api/email`);
      const mails = (await response.json()) as { subject: string; to: { address: string }[] }[];
      expect(mails.every(({ to }) => to[0]?.address === stack().demo.user?.email)).toBe(true);
      return mails.map(({ subject }) => subject.replace(/ at \$.*/, '')).sort();
    };
    const mails = await until(async () => ((await inbox()).length >= 5 ? inbox() : null), {
      what: 'five mails',
    });
    expect(mails).toEqual([
      '50.00 USD of your deposit was refunded',
      'Bought 1 MSFT',
      'Bought 3 AAPL',
      expect.stringContaining('Look at the market'),
      'Your deposit of 250.00 USD is here',
    ]);
  });

  it('proves nothing blindly: the check is red when a row was tampered with', async () => {
    const db = createDatabase(stack().databaseUrl);
    try {
      await db.account.updateMany({ data: { cash: { increment: '0.01' } } });
      const environment = { ...process.env, GATEHOUSE_DIR: dir, DATABASE_URL: '', REDIS_URL: '' };
      const { code, stdout } = await bash('npm run --silent check:invariants', environment);
      expect(code).toBe(1);
      expect(stdout).toMatch(/^BROKEN +every cash balance is the sum of its entries/m);
    } finally {
      await db.$disconnect();
    }
  });

  it('ends with a stack that stops when npm is told to', async () => {
    const { pid, apiPid, workerPids, postgresPid, redisPid, mailPid, stripePid } = stack();
    const pids = [pid, apiPid, ...workerPids, postgresPid, redisPid, mailPid, stripePid].map(
      Number,
    );
    expect(pids).not.toContain(start.pid);
    const ended = once(start, 'exit');
    start.kill('SIGTERM');
    await ended;
    await until(() => said.trimEnd().endsWith('stopped'), {
      what: 'the stack to say that it has stopped',
    });
    expect(existsSync(stackFile)).toBe(false);
    for (const one of pids) expect(() => process.kill(one, 0), `${one}`).toThrow('ESRCH');
  });
});
