/**
 * Tells how long the same thing has been standing still, in looks at it and not by a clock: a process that was frozen,
 * or whose event loop was blocked, has looked once and not for that long.
 *
 * A remedy is due after as many looks as the patience is, and then after 2, 4, 8 times as many: each leaves something
 * behind that may never be closed.
 */
export class Standstill {
  readonly #patience: number;
  #what: string | null = null;
  #since = 0;
  #looks = 0;
  #dueAt: number;
  #remedies = 0;

  constructor(patience: number) {
    this.#patience = patience;
    this.#dueAt = patience;
  }

  /** Takes what stands still; null is nothing. True when that ends a standstill against which something was done. */
  saw(what: string | null): boolean {
    if (what === this.#what) {
      this.#looks += 1;
      return false;
    }
    const wasRemedied = this.#remedies > 0;
    this.forget();
    this.#what = what;
    this.#since = performance.now();
    return wasRemedied;
  }

  /** What was seen needs no patience. */
  proven(): void {
    this.#looks = Math.max(this.#looks, this.#patience);
  }

  /** The observation begins anew. */
  forget(): void {
    this.#what = null;
    this.#looks = 0;
    this.#dueAt = this.#patience;
    this.#remedies = 0;
  }

  remedied(): void {
    this.#dueAt *= 2;
    this.#remedies += 1;
  }

  get isRemedyDue(): boolean {
    return this.#what !== null && this.#looks >= this.#dueAt;
  }

  /** Whether the first remedy has not helped for as long again. */
  get isHopeless(): boolean {
    return this.#remedies > 1;
  }

  get what(): string | null {
    return this.#what;
  }

  /** Milliseconds since it was seen first. */
  get forMs(): number {
    return Math.round(performance.now() - this.#since);
  }
}
