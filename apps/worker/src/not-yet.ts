/**
 * Thrown by a processor that could not even try: the other side is known to be away, or asked to be left alone for a
 * while. The job comes again after that, and no attempt is counted against it, for a day.
 */
export class NotYet extends Error {
  override readonly name = 'NotYet';
  /** Milliseconds until it is worth another look. */
  readonly retryInMs: number;

  constructor(message: string, retryInMs: number, options?: ErrorOptions) {
    super(message, options);
    this.retryInMs = retryInMs;
  }
}
