import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { errorCode, ifPresent, StartError } from './errors.ts';
import { processIdentity } from './process-identity.ts';

export interface RecordedProcess {
  pid: number;
  identity: string;
  /** What asks it to end in its quickest orderly way. */
  signal: NodeJS.Signals;
}

/** Who runs in a directory, and what it has started: kept on disk so that whoever finds it dead can tidy up. */
export interface RunRecord {
  owner: { pid: number; identity: string };
  processes: RecordedProcess[];
  /** Files and directories that mean nothing once the owner is gone. */
  remove: string[];
}

/** The record in `file`, or null when there is none or it was cut short. */
export function readRecord(file: string): RunRecord | null {
  const text = ifPresent(() => readFileSync(file, 'utf8'));
  if (text === null || !text.endsWith('\n')) return null;
  return JSON.parse(text) as RunRecord;
}

/** Replaces the record in `file`. */
export function writeRecord(file: string, record: RunRecord): void {
  const draft = `${file}.${process.pid}`;
  writeFileSync(draft, `${JSON.stringify(record)}\n`, { mode: 0o600 });
  renameSync(draft, file);
}

/**
 * Makes this process the owner of `file` and gives the record of an owner that died without tidying up.
 *
 * @throws StartError when its owner is alive.
 */
export function claimRecord(file: string, record: RunRecord): RunRecord | null {
  const draft = `${file}.${process.pid}`;
  writeFileSync(draft, `${JSON.stringify(record)}\n`, { mode: 0o600 });
  try {
    let leftover: RunRecord | null = null;
    while (true) {
      try {
        // Unlike a rename, a link never replaces: of two that start at once, one fails.
        linkSync(draft, file);
        return leftover;
      } catch (error) {
        if (errorCode(error) !== 'EEXIST') throw error;
      }
      leftover = readRecord(file);
      if (leftover && isAlive(leftover.owner)) {
        const { pid } = leftover.owner;
        throw new StartError(
          `process ${pid} already runs on ${dirname(file)}: stop it or set GATEHOUSE_DIR`,
        );
      }
      rmSync(file, { force: true });
    }
  } finally {
    rmSync(draft, { force: true });
  }
}

/** Whether the very process that was recorded still runs. */
export function isAlive(recorded: { pid: number; identity: string }): boolean {
  return processIdentity(recorded.pid) === recorded.identity;
}

/** Ends those that still run, by their own signal first, by SIGKILL after `graceMs`; waits until all are gone. */
export async function endProcesses(processes: RecordedProcess[], graceMs: number): Promise<void> {
  signalAll(processes, null);
  const deadline = Date.now() + graceMs;
  while (processes.some(isAlive)) {
    if (Date.now() > deadline) signalAll(processes, 'SIGKILL');
    await delay(20);
  }
}

function signalAll(processes: RecordedProcess[], signal: NodeJS.Signals | null): void {
  for (const recorded of processes.filter(isAlive)) {
    // It may end between the look and the signal.
    ifPresent(() => process.kill(recorded.pid, signal ?? recorded.signal));
  }
}
