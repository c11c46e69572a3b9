/** HTTP counts in seconds: less than one is taken for one, so that `0` makes no busy loop. */
const LEAST_MS = 1_000;
/** A header that asks for more is a mistake, or as good as one. */
const MOST_MS = 3_600_000;

/** Milliseconds that a `Retry-After` header asks for, in seconds or until a date (RFC 9110, 10.2.3); null if it is neither. */
export function retryAfterMs(header: string | null, now: Date): number | null {
  if (header === null) return null;
  const value = header.trim();
  const ms = /^\d+$/.test(value)
    ? Number(value) * 1_000
    : /^[A-Z][a-z]+, /.test(value)
      ? Date.parse(value) - now.getTime()
      : Number.NaN;
  return Number.isNaN(ms) ? null : Math.min(Math.max(ms, LEAST_MS), MOST_MS);
}
