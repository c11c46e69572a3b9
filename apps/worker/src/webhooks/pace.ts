/** Milliseconds by which a send may be late without the next being so as well: timers are no better. */
const CATCH_UP_MS = 10;

export interface PaceLimits {
  rateLimitPerSecond: number | null;
  maxConcurrency: number;
}

/**
 * How fast an endpoint is sent to: at most so many requests at a time, and so many a second, evenly spaced.
 *
 * It begins with one at a time and adds one with each success, so that one which was down is probed before it is loaded;
 * one that has too much to do is given half as many at a time. Times are milliseconds of any clock that only goes forward.
 */
export class Pace {
  #limits: PaceLimits;
  #concurrency = 1;
  #nextAt = 0;

  constructor(limits: PaceLimits) {
    this.#limits = limits;
  }

  /** The owner may change them at any time. */
  set limits(limits: PaceLimits) {
    this.#limits = limits;
  }

  /** How many requests may be under way. */
  get concurrency(): number {
    return Math.min(this.#concurrency, this.#limits.maxConcurrency);
  }

  /** Milliseconds until the next may be sent. */
  waitMs(now: number): number {
    return this.#limits.rateLimitPerSecond === null ? 0 : Math.max(0, this.#nextAt - now);
  }

  sent(now: number): void {
    const { rateLimitPerSecond } = this.#limits;
    if (rateLimitPerSecond === null) return;
    this.#nextAt = Math.max(this.#nextAt, now - CATCH_UP_MS) + 1_000 / rateLimitPerSecond;
  }

  succeeded(): void {
    this.#concurrency = this.concurrency + 1;
  }

  overloaded(): void {
    this.#concurrency = Math.max(1, Math.floor(this.concurrency / 2));
  }
}
