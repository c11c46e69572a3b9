import { setTimeout as delay } from 'node:timers/promises';
import { inspect } from 'node:util';

const FIRST_PAUSE_MS = 5;
const LONGEST_PAUSE_MS = 100;

export interface UntilOptions {
  /** 10 s when left out. */
  timeoutMs?: number;
  /** What is waited for, as the error is to say it: `the order to be filled`. */
  what: string;
}

/**
 * Asks `check` again and again until it gives something truthy, and returns that. A check that throws counts as a no.
 *
 * @throws when the time is up, with what was waited for and what the last check gave or threw (as `cause`).
 */
export async function until<T>(
  check: () => T | Promise<T>,
  { timeoutMs = 10_000, what }: UntilOptions,
): Promise<NonNullable<Exclude<T, false | 0 | '' | 0n>>> {
  const deadline = Date.now() + timeoutMs;
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(pauseMs * 1.5, LONGEST_PAUSE_MS)) {
    const outcome = await attempt(check);
    if ('value' in outcome && isTruthy(outcome.value)) return outcome.value;
    if (Date.now() >= deadline) {
      const last = 'value' in outcome ? `was ${inspect(outcome.value)}` : `threw ${outcome.error}`;
      const options = 'error' in outcome ? { cause: outcome.error } : {};
      throw new Error(`waited ${timeoutMs} ms for ${what}; the last check ${last}`, options);
    }
    await delay(pauseMs);
  }
}

async function attempt<T>(check: () => T | Promise<T>): Promise<{ value: T } | { error: unknown }> {
  try {
    return { value: await check() };
  } catch (error) {
    return { error };
  }
}

function isTruthy<T>(value: T): value is NonNullable<Exclude<T, false | 0 | '' | 0n>> {
  return Boolean(value);
}
