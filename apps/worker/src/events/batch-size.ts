/** Events of one transaction, at most. */
const MOST_EVENTS = 500;

/** Deliveries that one transaction is to make at most: few enough that the log and endpoints are locked for moments. */
const MOST_DELIVERIES = 2_000;

/**
 * How many events to publish at a time: fewer where each makes many deliveries, and fewer after a failure, down to one, so
 * that what is too much for one transaction does not keep everything.
 */
export class BatchSize {
  #events = MOST_EVENTS;

  get events(): number {
    return this.#events;
  }

  /** A batch of so many events made so many deliveries. */
  succeeded({ events, deliveries }: { events: number; deliveries: number }): void {
    const fits =
      deliveries === 0 ? MOST_EVENTS : Math.floor((MOST_DELIVERIES * events) / deliveries);
    this.#events = Math.max(1, Math.min(fits, this.#events * 2, MOST_EVENTS));
  }

  failed(): void {
    this.#events = Math.ceil(this.#events / 2);
  }
}
