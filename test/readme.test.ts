import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { createDatabase } from '@gatehouse/db/client';
import type { Stack } from '@gatehouse/local/stack-file';
import { until } from '@gatehouse/testing/condition';
import {
  environmentWith,
  type LocalStack,
  removeStackDir,
  START_MS,
  startLocalStack,
  temporaryStackDir,
} from '@gatehouse/testing/local-stack';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ROOT, readText } from './repository.ts';

const TOUR_MS = 60_000;
const RECEIVER_MS = 25_000;

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
  const dir = temporaryStackDir();
  const environment = environmentWith({ GATEHOUSE_DIR: dir });
  let local: LocalStack;
  let outcome: Outcome;
  let firstWorker: number | undefined;

  const stack = (): Stack => local.now();
  const get = async <T>(path: string): Promise<T> => {
    const { apiUrl, demo } = stack();
    const headers = { authorization: `Bearer ${demo.user?.apiKey}` };
    const response = await fetch(`${apiUrl}${path}`, { headers });
    if (!response.ok) throw new Error(`${path}: ${response.status}`);
    return (await response.json()) as T;
  };

  beforeAll(async () => {
    // A busy machine is late, and nothing is to be turned away for that.
    const settings = { MAX_EVENT_LOOP_DELAY_MS: '0' };
    local = await startLocalStack({ dir, settings, command: ['npm', 'start'] });
    firstWorker = stack().workerPids[0];
    outcome = await bash(tour().join('\n'), environment);
  }, START_MS + TOUR_MS);

  afterAll(async () => {
    await local?.stop();
    removeStackDir(dir);
  }, START_MS);

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
      const { code, stdout } = await bash('npm run --silent check:invariants', environment);
      expect(code).toBe(1);
      expect(stdout).toMatch(/^BROKEN +every cash balance is the sum of its entries/m);
    } finally {
      await db.$disconnect();
    }
  });

  it('has a receiver that is sent what it asks for, and leaves no endpoint behind', async () => {
    const receiver = spawn('npm', ['run', '--silent', 'receiver', '--', '--port', '0'], {
      cwd: ROOT,
      env: environment,
      stdio: ['ignore', 'pipe', 'pipe'],
      // A group of its own, as in a terminal: Ctrl-C goes to all of it.
      detached: true,
    });
    let printed = '';
    for (const stream of [receiver.stdout, receiver.stderr]) {
      stream.on('data', (chunk) => {
        printed += chunk;
      });
    }
    const ended = once(receiver, 'close');
    const prints = (pattern: RegExp) =>
      until(() => pattern.exec(printed) ?? (receiver.exitCode !== null && []), {
        what: `${pattern} in what the receiver prints`,
        timeoutMs: RECEIVER_MS,
      });
    try {
      const [, id] = await prints(/is endpoint (\S+) of /);
      const test = await fetch(`${stack().apiUrl}/v1/webhook-endpoints/${id}/test`, {
        method: 'POST',
        headers: { authorization: `Bearer ${stack().demo.user?.apiKey}` },
      });
      expect(test.status, printed).toBe(202);
      await prints(/ webhook_endpoint\.test .* verified +new +-> 204$/m);
    } finally {
      if (receiver.exitCode === null) process.kill(-Number(receiver.pid), 'SIGINT');
      await ended;
    }
    expect(printed).toMatch(/ webhook_endpoint\.test .* verified +new +-> 204$/m);
    expect(await get('/v1/webhook-endpoints')).toMatchObject({ data: [] });
  });

  it('ends with a stack that stops when npm is told to', async () => {
    const { pid, apiPid, workerPids, postgresPid, redisPid, mailPid, stripePid } = stack();
    const pids = [pid, apiPid, ...workerPids, postgresPid, redisPid, mailPid, stripePid].map(
      Number,
    );
    const npm = local.process;
    expect(pids).not.toContain(npm.pid);
    const ended = once(npm, 'exit');
    npm.kill('SIGTERM');
    await ended;
    await until(() => local.said().trimEnd().endsWith('stopped'), {
      what: 'the stack to say that it has stopped',
    });
    expect(existsSync(join(dir, 'stack.json'))).toBe(false);
    for (const one of pids) expect(() => process.kill(one, 0), `${one}`).toThrow('ESRCH');
  });
});
