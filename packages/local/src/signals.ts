import process from 'node:process';

/** A Ctrl-C in a terminal reaches this process twice: from the terminal, and passed on by npm. */
const SAME_KEYSTROKE_MS = 500;
const FORCED_EXIT_CODE = 130;

/**
 * Aborts the controller at the first SIGINT, SIGTERM or SIGHUP.
 *
 * @param force runs at the second, after which the process exits.
 */
export function haltOnSignals(force: () => void): AbortController {
  const halt = new AbortController();
  let firstAt = 0;
  const onSignal = () => {
    if (firstAt === 0) {
      firstAt = Date.now();
      halt.abort();
    } else if (Date.now() - firstAt > SAME_KEYSTROKE_MS) {
      force();
      process.exit(FORCED_EXIT_CODE);
    }
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, onSignal);
  return halt;
}
