import { rmSync } from 'node:fs';
import { argv, stdin } from 'node:process';
import { finished } from 'node:stream/promises';
import { endProcesses, readRecord } from './run-record.ts';

const GRACE_MS = 5000;

/** The guard itself: waits until its parent is gone, whichever way, then ends what the record lists. */
async function guard(recordFile: string): Promise<void> {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => undefined);
  }
  const owner = readRecord(recordFile)?.owner;
  // The parent never writes: the pipe ends when it closes it, or dies.
  await finished(stdin.resume(), { writable: false });

  const record = readRecord(recordFile);
  if (!owner || !record || !sameOwner(owner, record.owner)) return;
  await endProcesses(record.processes, GRACE_MS);

  // A successor may have moved in while the processes ended.
  const current = readRecord(recordFile);
  if (!current || !sameOwner(owner, current.owner)) return;
  for (const path of current.remove) rmSync(path, { recursive: true, force: true });
}

function sameOwner(a: { pid: number; identity: string }, b: { pid: number; identity: string }) {
  return a.pid === b.pid && a.identity === b.identity;
}

const [recordFile] = argv.slice(2);
if (recordFile === undefined) throw new Error('usage: guard-process.ts <record file>');
await guard(recordFile);
