import { writeSync } from 'node:fs';
import { workerData } from 'node:worker_threads';

export interface WatchdogData {
  /** One number, that the main thread counts up. */
  beats: Int32Array<SharedArrayBuffer>;
  tickMs: number;
  ticks: number;
  /** What each line of the log has, beside the pid. */
  bindings: Record<string, unknown>;
}

const STDERR = 2;
/** Pino's number for `fatal`. */
const FATAL = 60;

const { beats, tickMs, ticks, bindings }: WatchdogData = workerData;
let seen = Atomics.load(beats, 0);
let missed = 0;

setInterval(() => {
  const now = Atomics.load(beats, 0);
  missed = now === seen ? missed + 1 : 0;
  seen = now;
  if (missed >= ticks) end();
}, tickMs);

/** The logger and the streams of the process work by way of the main thread, which does nothing any more. */
function end(): void {
  const msg = 'the event loop is blocked, by a job that spins most likely: the process is killed';
  const { pid } = process;
  const blockedForMs = missed * tickMs;
  const line = { level: FATAL, time: Date.now(), ...bindings, pid, blockedForMs, msg };
  try {
    writeSync(STDERR, `${JSON.stringify(line)}\n`);
  } finally {
    process.kill(pid, 'SIGKILL');
  }
}
