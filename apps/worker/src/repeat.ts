import type { Logger } from 'pino';
import { createOutage } from './outage.ts';

export interface Repeat {
  /** Ends it; resolves when the round under way is over. */
  stop(): Promise<void>;
}

export interface RepeatOptions {
  /** How the log calls it. */
  what: string;
  /** Milliseconds from the end of a round to the beginning of the next. */
  everyMs: number;
  log: Logger;
}

/** Runs rounds for ever. A round that fails ends nothing: an outage is logged once, and the next round comes. */
export function repeat(
  { what, everyMs, log }: RepeatOptions,
  round: (signal: AbortSignal) => Promise<void>,
): Repeat {
  const stopping = new AbortController();
  const { signal } = stopping;
  const outage = createOutage(log, what);
  const loop = (async () => {
    while (!signal.aborted) {
      try {
        await round(signal);
        outage.over();
      } catch (error) {
        outage.noticed(error);
      }
      await pause(everyMs, signal);
    }
  })();
  return {
    stop() {
      stopping.abort();
      return loop;
    },
  };
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener('abort', done);
  });
}
