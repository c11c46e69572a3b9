import type { Logger } from 'pino';
import type { Repeat } from './repeat.ts';
import type { Runner } from './runner.ts';
import { within } from './within.ts';

/** Shares of the deadline at which running jobs are told to end, jobs are left alone, and connections are. */
const ABORT_AT = 0.8;
const LEAVE_JOBS_AT = 0.9;
const LEAVE_CONNECTIONS_AT = 0.97;

export interface ShutdownParts {
  repeats: readonly Repeat[];
  runners: readonly Runner[];
  closeConnections: () => Promise<void>;
  log: Logger;
}

/**
 * Ends the work, then closes the connections. Resolves within the deadline, whatever hangs.
 *
 * Jobs that do not end are told to when most of the time is up, and then left as they are: their locks run out,
 * another worker runs them again, and their rows stop a second effect.
 */
export async function shutDown(
  { repeats, runners, closeConnections, log }: ShutdownParts,
  deadlineMs: number,
): Promise<void> {
  const endsAt = performance.now() + deadlineMs;
  const abortTimer = setTimeout(() => {
    for (const runner of runners) runner.abort();
  }, deadlineMs * ABORT_AT);
  const ended = Promise.all([
    ...repeats.map((each) => each.stop()),
    ...runners.map((runner) => runner.close()),
  ]);
  if (!(await within(deadlineMs * LEAVE_JOBS_AT, ended))) {
    log.warn('some jobs did not end in time: another worker will run them again');
  }
  clearTimeout(abortTimer);
  const leftMs = endsAt - performance.now() - deadlineMs * (1 - LEAVE_CONNECTIONS_AT);
  if (!(await within(leftMs, closeConnections()))) {
    log.warn('some connections did not close in time');
  }
}
