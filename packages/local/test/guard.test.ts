import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { startGuard } from '../src/guard.ts';
import { processIdentity } from '../src/process-identity.ts';
import { readRecord } from '../src/run-record.ts';
import { temporaryDir } from './temporary.ts';

const GUARD = new URL('../src/guard.ts', import.meta.url).href;

test('what a killed process started is ended and its files are deleted', async () => {
  const { dir, parent, childPid } = await parentWithChild();
  parent.kill('SIGKILL');
  await expect.poll(() => processIdentity(childPid), { timeout: 10_000 }).toBeNull();
  await expect.poll(() => existsSync(join(dir, 'scratch')), { timeout: 10_000 }).toBe(false);
});

test('a successor ends what is left when the guard was killed as well', async () => {
  const { record, parent, childPid, guardPid } = await parentWithChild();
  process.kill(guardPid, 'SIGKILL');
  parent.kill('SIGKILL');
  await once(parent, 'exit');
  expect(processIdentity(childPid)).not.toBeNull();

  const guard = await startGuard(record);
  expect(processIdentity(childPid)).toBeNull();
  await guard.release();
});

test('only one may run in a place', async () => {
  const { record, parent } = await parentWithChild();
  const refusal = `process ${parent.pid} already runs`;
  await expect(startGuard(record)).rejects.toThrow(refusal);
});

test('a process that was given the pid of a recorded one is left alone', async () => {
  const record = join(temporaryDir(), 'run.json');
  const bystander = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)']);
  onTestFinished(() => void bystander.kill('SIGKILL'));
  await once(bystander, 'spawn');
  const stale = { pid: bystander.pid, identity: 'long ago', signal: 'SIGKILL' };
  const owner = { pid: bystander.pid, identity: 'long ago' };
  writeFileSync(record, `${JSON.stringify({ owner, processes: [stale], remove: [] })}\n`);

  await (await startGuard(record)).release();
  expect(bystander.signalCode).toBeNull();
  expect(readRecord(record)).toBeNull();
});

/** A process that has a child under guard, and a directory to be removed. */
async function parentWithChild() {
  const dir = temporaryDir();
  const record = join(dir, 'run.json');
  const pids = join(dir, 'pids');
  mkdirSync(join(dir, 'scratch'));
  const script = join(dir, 'parent.mjs');
  writeFileSync(
    script,
    `import { spawn } from 'node:child_process';
     import { renameSync, writeFileSync } from 'node:fs';
     import { startGuard } from ${JSON.stringify(GUARD)};
     const guard = await startGuard(${JSON.stringify(record)}, [${JSON.stringify(join(dir, 'scratch'))}]);
     const child = spawn(process.execPath, ['-e', "process.on('SIGTERM', () => process.exit()); setInterval(() => {}, 1000)"], { detached: true, stdio: 'ignore' });
     guard.watch(child.pid, 'SIGTERM');
     writeFileSync(${JSON.stringify(pids)} + '.new', JSON.stringify({ child: child.pid }));
     renameSync(${JSON.stringify(pids)} + '.new', ${JSON.stringify(pids)});
     setInterval(() => {}, 1000);`,
  );
  const parent: ChildProcess = spawn(process.execPath, [script], { stdio: 'inherit' });
  await expect.poll(() => existsSync(pids), { timeout: 20_000 }).toBe(true);
  const { child } = JSON.parse(readFileSync(pids, 'utf8')) as { child: number };
  const guardPid = childOf(parent.pid ?? 0, child);
  onTestFinished(async () => {
    parent.kill('SIGKILL');
    await expect.poll(() => processIdentity(child), { timeout: 10_000 }).toBeNull();
  });
  return { dir, record, parent, childPid: child, guardPid };
}

/** The other child of `parent` besides `known`. */
function childOf(parent: number, known: number): number {
  const pids = readFileSync(`/proc/${parent}/task/${parent}/children`, 'utf8').trim().split(' ');
  return Number(pids.find((pid) => Number(pid) !== known));
}
