/** How long somebody who asked for a pause is left alone: twice as long each time, until something works again. */
export interface Pause {
  /** Whether nothing has worked since the last trouble. */
  readonly isSuspect: boolean;
  /** Milliseconds until the next try is worth it; 0 when it is now. */
  remainingMs(now: number): number;
  /** Something that began then met trouble. What began before the last pause did is no news. */
  trouble(beganAt: number, now: number): void;
  /** Something that began then worked. What began before the last pause did is no news either. */
  worked(beganAt: number): void;
}

export interface PauseOptions {
  firstMs: number;
  longestMs: number;
}

export function createPause({ firstMs, longestMs }: PauseOptions): Pause {
  let since = Number.NEGATIVE_INFINITY;
  let until = Number.NEGATIVE_INFINITY;
  let nextMs = firstMs;
  return {
    get isSuspect() {
      return until !== Number.NEGATIVE_INFINITY;
    },
    remainingMs: (now) => Math.max(0, until - now),
    trouble(beganAt, now) {
      if (beganAt < since) return;
      since = now;
      until = now + nextMs;
      nextMs = Math.min(nextMs * 2, longestMs);
    },
    worked(beganAt) {
      if (beganAt < since) return;
      until = Number.NEGATIVE_INFINITY;
      nextMs = firstMs;
    },
  };
}
