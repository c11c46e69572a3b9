import { BREAKER_FAILURES } from '@gatehouse/db/webhook-attempts';
import type { Verdict } from './schedule.ts';

/** What an answer, or its absence, says of an endpoint. */
export interface Sign {
  /** No answer came, while the endpoint took nothing else: its breaker opens at once. */
  opensBreaker: boolean;
  /** Its health may be another than is written down. */
  isNews: boolean;
  /** Its breaker is open. */
  isOpen: boolean;
}

/** How an endpoint does in the course of a run. Times are milliseconds of any clock that only goes forward. */
export class Streak {
  #failuresInARow = 0;
  #mayHaveFailed = false;
  #succeededAt = Number.NEGATIVE_INFINITY;

  /** Goes on where the run before has ended. @param failures in a row, as is written down */
  begin(failures: number): void {
    this.#failuresInARow = failures;
    this.written(failures);
  }

  /** @param failures in a row, as is written down by now: of this run, or of another */
  written(failures: number): void {
    this.#mayHaveFailed ||= failures > 0;
  }

  heard(
    verdict: Verdict,
    { hasHung, durationMs, now }: { hasHung: boolean; durationMs: number; now: number },
  ): Sign {
    // One that takes others meanwhile does not hang.
    const opensBreaker = hasHung && this.#succeededAt < now - durationMs;
    if (verdict === 'succeeded') {
      this.#succeededAt = now;
      this.#failuresInARow = 0;
    } else {
      this.#failuresInARow += 1;
      this.#mayHaveFailed = true;
    }
    const isOpen = opensBreaker || this.#failuresInARow >= BREAKER_FAILURES;
    return { opensBreaker, isNews: this.#mayHaveFailed, isOpen };
  }
}
