import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { type Launched, launch, untilReady } from '../src/launch.ts';
import { type SuperviseOptions, supervise } from '../src/supervisor.ts';
import { temporaryDir } from './temporary.ts';

const HEALTHY = "process.send('ready'); setInterval(() => {}, 1000);";
const STUBBORN = `process.on('SIGTERM', () => {}); ${HEALTHY}`;
const BROKEN = "console.error('no such setting'); process.exit(3);";

test('starts a child that was killed again, says so, and tells of its successor', async () => {
  const changes: number[] = [];
  const notices: string[] = [];
  const supervised = await superviseScript(HEALTHY, {
    onChange: () => changes.push(supervised.current.pid),
    notice: (line) => notices.push(line),
  });
  const first = supervised.current;

  first.process.kill('SIGKILL');
  await expect.poll(() => changes).toHaveLength(1);

  expect(changes[0]).not.toBe(first.pid);
  expect(supervised.current.process.exitCode).toBeNull();
  expect(notices).toEqual([
    `child (process ${first.pid}) ended with signal SIGKILL: starting it again`,
  ]);
});

test('waits longer from failure to failure, and is patient no more once a child was healthy', async () => {
  const dir = temporaryDir();
  const script = join(dir, 'child.mjs');
  writeFileSync(script, HEALTHY);
  const startedAt: number[] = [];
  const supervised = await supervise({
    name: 'child',
    backoff: { firstMs: 40, factor: 3, healthyAfterMs: 0 },
    start: (signal) => {
      startedAt.push(performance.now());
      return startScript(script, dir, signal);
    },
  });
  onTestFinished(() => supervised.stop());

  writeFileSync(script, BROKEN);
  supervised.current.process.kill('SIGKILL');
  await expect.poll(() => startedAt.length, { timeout: 20_000 }).toBe(4);
  const pauses = startedAt.slice(1).map((at, index) => at - (startedAt[index] ?? 0));
  expect(pauses[1]).toBeGreaterThan(120);
  expect(pauses[2]).toBeGreaterThan(360);

  writeFileSync(script, HEALTHY);
  const broken = supervised.current.pid;
  await expect.poll(() => supervised.current.pid, { timeout: 20_000 }).not.toBe(broken);
  const killedAt = performance.now();
  const before = startedAt.length;
  supervised.current.process.kill('SIGKILL');
  await expect.poll(() => startedAt.length).toBe(before + 1);
  expect((startedAt.at(-1) ?? 0) - killedAt).toBeLessThan(5000);
});

test('stops a successor that becomes ready while it is being stopped', async () => {
  const dir = temporaryDir();
  const script = join(dir, 'child.mjs');
  writeFileSync(script, HEALTHY);
  const started: Launched[] = [];
  const ready = Promise.withResolvers<void>();
  const supervised = await supervise({
    name: 'child',
    backoff: { firstMs: 1 },
    start: async () => {
      const child = await startScript(script, dir, new AbortController().signal);
      if (started.push(child) > 1) await ready.promise;
      return child;
    },
  });
  supervised.current.process.kill('SIGKILL');
  await expect.poll(() => started.length, { timeout: 20_000 }).toBe(2);
  const stopped = supervised.stop();
  ready.resolve();
  await stopped;
  expect(started[1]?.process.signalCode).toBe('SIGTERM');
});

test('fails at the first start with the last lines of the log', async () => {
  await expect(superviseScript(BROKEN)).rejects.toThrow(
    'child ended with code 3:\n    no such setting',
  );
});

test('stops a child in order and does not start it again', async () => {
  const notices: string[] = [];
  const supervised = await superviseScript(HEALTHY, { notice: (line) => notices.push(line) });
  const { process: child } = supervised.current;
  await supervised.stop();
  expect(child.signalCode).toBe('SIGTERM');
  expect(notices).toEqual([]);
});

test('kills a child that ignores SIGTERM once its deadline has passed', async () => {
  const supervised = await superviseScript(STUBBORN);
  const { process: child } = supervised.current;
  await supervised.stop();
  expect(child.signalCode).toBe('SIGKILL');
});

test('can be stopped while a successor is being waited for', async () => {
  const supervised = await superviseScript(HEALTHY, { backoff: { firstMs: 600_000 } });
  supervised.current.process.kill('SIGKILL');
  await once(supervised.current.process, 'exit');
  await supervised.stop();
});

test('a child that is never ready is ended when its start is called off', async () => {
  const dir = temporaryDir();
  const script = join(dir, 'child.mjs');
  writeFileSync(script, 'setInterval(() => {}, 1000);');
  const halt = new AbortController();
  const started: Launched[] = [];
  const starting = supervise({
    name: 'child',
    signal: halt.signal,
    start: (signal) => startScript(script, dir, signal, (child) => started.push(child)),
  });
  await expect.poll(() => started.length).toBe(1);
  halt.abort();
  await expect(starting).rejects.toThrow('was stopped before it was ready');
  expect(started[0]?.ending()).toBe('signal SIGTERM');
});

async function superviseScript(text: string, options: Partial<SuperviseOptions<Launched>> = {}) {
  const dir = temporaryDir();
  const script = join(dir, 'child.mjs');
  writeFileSync(script, text);
  const start = (signal: AbortSignal) => startScript(script, dir, signal);
  const supervised = await supervise<Launched>({ name: 'child', start, ...options });
  onTestFinished(() => supervised.stop());
  return supervised;
}

async function startScript(
  script: string,
  dir: string,
  signal: AbortSignal,
  onLaunch: (child: Launched) => void = () => undefined,
): Promise<Launched> {
  const logFile = join(dir, 'child.log');
  const launched = await launch({
    name: 'child',
    command: process.execPath,
    args: [script],
    cwd: dir,
    env: {},
    logFile,
    ipc: true,
    stopSignal: 'SIGTERM',
    stopDeadlineMs: 300,
  });
  onLaunch(launched);
  let ready = false;
  launched.process.once('message', () => {
    ready = true;
  });
  const waiting = { name: 'child', logFile, deadlineMs: 20_000, signal };
  await untilReady(launched, waiting, () => (ready ? true : null));
  return launched;
}
