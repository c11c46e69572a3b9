/** Events of one transaction, at most. */
const MOST_EVENTS = 500;

/**
 * How many events to publish at a time: fewer after a failure, down to one, so that what is too much for one transaction
 * does not keep everything; and more again later.
 */
export class BatchSize {
  #events = MOST_EVENTS;

  get events(): number {
    return this.#events;
  }

  succeeded(): void {
    this.#events = Math.min(this.#events * 2, MOST_EVENTS);
  }

  failed(): void {
    this.#events = Math.ceil(this.#events / 2);
  }
}
