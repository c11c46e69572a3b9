import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { until } from '@gatehouse/testing/condition';
import { expect, onTestFinished, test } from 'vitest';
import { startStack } from './stack.ts';
import { spawnWorker } from './worker-process.ts';

const SUBJECT = fileURLToPath(new URL('./watchdog-subject.ts', import.meta.url));
const LONG_MS = 3_600_000;

interface Subject {
  child: ChildProcess;
  stdout(): string;
  stderr(): string;
  /** Resolves with how it ended. */
  ended: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
}

/** Resolves when it is ready. Ends with the test. */
async function startSubject(how: string, limitMs: number): Promise<Subject> {
  const subject = start([SUBJECT, how, `${limitMs}`]);
  await until(() => subject.stdout().includes('ready'), {
    what: 'the process to be ready',
    timeoutMs: 30_000,
  });
  return subject;
}

function start(args: readonly string[], env: NodeJS.ProcessEnv = {}): Subject {
  const child = spawn(process.execPath, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env.PATH, ...env },
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const read = (stream: typeof child.stdout) => {
    let text = '';
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
    });
    return () => text;
  };
  const [stdout, stderr] = [read(child.stdout), read(child.stderr)];
  const ended = once(child, 'close').then(([code, signal]) => ({ code, signal }));
  return { child, stdout, stderr, ended };
}

test('a process whose loop is blocked for good is killed, with one line of why', async () => {
  const { child, stdout, stderr, ended } = await startSubject('spin', 1_000);
  expect(await ended).toEqual({ code: null, signal: 'SIGKILL' });
  expect(stdout()).toBe('ready\n');
  const lines = stderr().trimEnd().split('\n');
  expect(lines.map((line) => JSON.parse(line))).toEqual([
    {
      level: 60,
      time: expect.any(Number),
      app: 'subject',
      pid: child.pid,
      blockedForMs: 1_000,
      msg: expect.stringContaining('event loop is blocked'),
    },
  ]);
});

test('a process that is busy in bursts lives', async () => {
  const { stdout, stderr, ended } = await startSubject('bursts', 1_500);
  expect(await ended).toEqual({ code: 0, signal: null });
  expect([stdout(), stderr()]).toEqual(['ready\ndone\n', '']);
});

test('a process that was stopped for longer and goes on lives, and is still watched', async () => {
  const limitMs = 3_000;
  const { child, stdout, stderr, ended } = await startSubject('stop', limitMs);
  // It stops itself within the first third of the limit. A process that is blocked says when a limit is over.
  for (let count = 0; count < 2; count += 1) await (await startSubject('spin', limitMs)).ended;
  expect(stdout()).toBe('ready\n');
  child.kill('SIGCONT');
  await (await startSubject('spin', limitMs)).ended;
  expect(stdout()).toBe('ready\ncontinued\n');
  expect([child.exitCode, child.signalCode, stderr()]).toEqual([null, null, '']);
  child.kill('SIGUSR2');
  expect(await ended).toEqual({ code: null, signal: 'SIGKILL' });
});

test('a process that has nothing to do any more leaves, with the watchdog at its post', async () => {
  const { stdout, stderr, ended } = await startSubject('leave', LONG_MS);
  // Were it held by the thread or its timers, it would be there until the test is given up.
  expect(await ended).toEqual({ code: 0, signal: null });
  expect([stdout(), stderr()]).toEqual(['ready\ndone\n', '']);
});

test.runIf(process.platform === 'linux')('the worker has one', async () => {
  const { environment } = await startStack();
  const { child } = await spawnWorker(environment);
  const tasks = `/proc/${child.pid}/task`;
  const names = readdirSync(tasks).map((id) => readFileSync(`${tasks}/${id}/comm`, 'utf8').trim());
  expect(names).toContain('watchdog');
});
