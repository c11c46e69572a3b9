import type { RetryPolicy } from './definition.ts';

/**
 * Milliseconds until the next attempt after `failures` failed ones, or null when there is none left.
 *
 * Exponential with equal jitter: half of the delay is fixed, so that a retry is never at once, half is random, so
 * that jobs that failed together do not return together (AWS, "Exponential Backoff And Jitter").
 *
 * @param random from 0 (inclusive) to 1 (exclusive)
 */
export function nextRetryMs(policy: RetryPolicy, failures: number, random: number): number | null {
  if (failures >= policy.attempts) return null;
  const delay = Math.min(policy.backoffMs * 2 ** (failures - 1), policy.maxBackoffMs);
  return Math.round(delay / 2 + (delay / 2) * random);
}
