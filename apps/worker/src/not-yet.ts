/** How long a job may be put off before that counts as a failure as well. A deployment is over in less. */
const PATIENCE_MS = 24 * 3_600_000;

export interface NotYetOptions extends ErrorOptions {
  /** A day, unless given. */
  patienceMs?: number;
}

/**
 * Thrown by a processor that could not even try: the other side is known to be away, or asked to be left alone for a
 * while. The job comes again after that, and no attempt is counted against it until it is as old as there is patience.
 */
export class NotYet extends Error {
  override readonly name = 'NotYet';
  /** Milliseconds until it is worth another look. */
  readonly retryInMs: number;
  /** Milliseconds from the beginning of the job. */
  readonly patienceMs: number;

  constructor(
    message: string,
    retryInMs: number,
    { patienceMs = PATIENCE_MS, ...options }: NotYetOptions = {},
  ) {
    super(message, options);
    this.retryInMs = retryInMs;
    this.patienceMs = patienceMs;
  }
}
