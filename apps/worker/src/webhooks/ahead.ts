import type { Database } from '@gatehouse/db/client';
import { type DueDelivery, type LaneEndpoint, takeDue } from '@gatehouse/db/due-deliveries';

/** How many deliveries are taken ahead. */
const AHEAD = { least: 10, most: 100 } as const;

/** Milliseconds between two looks for more while requests are under way; doubled each time that nothing was due. */
const LOOK_AGAIN_MS = { first: 25, last: 200 } as const;

/**
 * Milliseconds without anything due after which a run ends. To look a few times more costs less than to settle and to begin
 * another run, and where much happens something is due again by then.
 */
const QUIET_MS = 150;

/**
 * How many deliveries are taken ahead at an endpoint that takes so many at a time: few where nothing moves, and no more
 * than a second's worth, since what waits here cannot be taken back. At half of it more are fetched.
 */
export function aheadOf(
  { rateLimitPerSecond }: Pick<LaneEndpoint, 'rateLimitPerSecond'>,
  concurrency: number,
): number {
  const some = Math.max(AHEAD.least, 4 * concurrency);
  return Math.min(AHEAD.most, rateLimitPerSecond ?? AHEAD.most, some);
}

/** What a run has taken ahead. */
export class Ahead {
  readonly #db: Database;
  readonly #endpointId: string;
  /** Everything that is taken and not written down yet. */
  readonly #held = new Set<string>();
  #waiting: DueDelivery[] = [];
  /** Whether more were due at the last look than it took. */
  #hasMore = true;
  #foundAt = Number.NEGATIVE_INFINITY;
  #lookAgainMs: number = LOOK_AGAIN_MS.first;
  #lookAgainAt = 0;

  constructor(db: Database, endpointId: string) {
    this.#db = db;
    this.#endpointId = endpointId;
  }

  /** How many are to be sent. */
  get count(): number {
    return this.#waiting.length;
  }

  /** Whether there is more to be taken, as far as is known. */
  get hasMore(): boolean {
    return this.#hasMore;
  }

  /** Whether nothing has been due for a while. */
  isQuiet(now: number): boolean {
    return this.#waiting.length === 0 && now - this.#foundAt > QUIET_MS;
  }

  /** Milliseconds until another look is worth its cost. */
  lookAgainInMs(now: number): number {
    return this.#lookAgainAt - now;
  }

  /** Reads what is due, of which there may be `most` with what waits already. It is `keep` that takes it. */
  async look(most: number, ordered: boolean): Promise<DueDelivery[]> {
    if (this.#waiting.length > most / 2) return [];
    const limit = most - this.#waiting.length;
    const held = [...this.#held];
    const due = await takeDue(this.#db, this.#endpointId, { limit, held, ordered });
    this.#hasMore = due.length === limit;
    const { first, last } = LOOK_AGAIN_MS;
    const now = performance.now();
    if (due.length > 0) this.#foundAt = now;
    this.#lookAgainMs = due.length > 0 ? first : Math.min(this.#lookAgainMs * 2, last);
    this.#lookAgainAt = now + this.#lookAgainMs;
    return due;
  }

  keep(due: readonly DueDelivery[]): void {
    for (const { id } of due) this.#held.add(id);
    this.#waiting.push(...due);
  }

  /** The next to be sent. */
  shift(): DueDelivery | undefined {
    return this.#waiting.shift();
  }

  /** It is written down. */
  release(deliveryId: string): void {
    this.#held.delete(deliveryId);
  }

  /** Gives up what is to be sent: another run will. */
  drop(): void {
    this.#waiting = [];
  }
}
