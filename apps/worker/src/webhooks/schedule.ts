const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

/** Milliseconds before each retry: three days in all. */
const RETRY_DELAYS_MS = [
  5 * SECOND,
  5 * MINUTE,
  30 * MINUTE,
  2 * HOUR,
  5 * HOUR,
  10 * HOUR,
  14 * HOUR,
  20 * HOUR,
  24 * HOUR,
] as const;

/** How far a retry is from its time at most, as a share of the delay: what failed together does not return together. */
const JITTER = 0.15;

/** No endpoint may ask to be left alone for longer. */
const LONGEST_RETRY_AFTER_MS = 24 * HOUR;

/**
 * Milliseconds until the next attempt after `attempts` that failed; null when they are used up.
 *
 * @param random from 0 (inclusive) to 1 (exclusive)
 */
export function retryDelayMs(attempts: number, random: number): number | null {
  const delay = RETRY_DELAYS_MS[attempts - 1];
  return delay === undefined ? null : Math.round(delay * (1 + JITTER * (2 * random - 1)));
}

/**
 * Milliseconds for which somebody asks to be left alone (RFC 9110, 10.2.3): a number of seconds, or a date. Null for
 * what is neither, and for a time that has passed.
 */
export function retryAfterMs(value: string | undefined, now: number): number | null {
  if (value === undefined) return null;
  const text = value.trim();
  const ms = /^\d{1,10}$/.test(text) ? Number(text) * SECOND : dateOf(text) - now;
  return ms > 0 ? Math.min(ms, LONGEST_RETRY_AFTER_MS) : null;
}

/** `Date.parse` takes far more than a date of HTTP: `-5` would be a month. */
function dateOf(text: string): number {
  return /^[A-Z][a-z]+, .+ GMT$/.test(text) ? Date.parse(text) : Number.NaN;
}

export type Verdict = 'succeeded' | 'failed' | 'gone';

/** What an answer means for the delivery. A redirect is not followed. */
export function verdictOn(statusCode: number): Verdict {
  if (statusCode >= 200 && statusCode < 300) return 'succeeded';
  return statusCode === 410 ? 'gone' : 'failed';
}

/** Whether somebody has more to do than he can; null for no answer. */
export function isOverloaded(statusCode: number | null): boolean {
  return statusCode === null || [429, 502, 503, 504].includes(statusCode);
}

/** Whether its `Retry-After` speaks for the whole endpoint. */
export function mayAskForPause(statusCode: number | null): boolean {
  return statusCode === 429 || statusCode === 503;
}
