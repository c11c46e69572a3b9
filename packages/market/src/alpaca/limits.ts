/** Milliseconds, where it does not say otherwise. */
export interface AlpacaLimits {
  readonly connectMs: number;
  /** From the request to the headers of its answer. */
  readonly headersMs: number;
  /** Between two parts of the body. */
  readonly bodyMs: number;
  /** Of a call as a whole, its retries included. */
  readonly totalMs: number;
  readonly bodyBytes: number;
  /** Failures in a row that open the breaker. */
  readonly failures: number;
  /** How long the breaker stays open until one call may try. */
  readonly openMs: number;
  /** Of reads only. */
  readonly retries: number;
  readonly firstRetryMs: number;
}

export const LIMITS: AlpacaLimits = {
  connectMs: 3_000,
  headersMs: 5_000,
  bodyMs: 5_000,
  totalMs: 10_000,
  bodyBytes: 256 * 1024,
  failures: 5,
  openMs: 10_000,
  retries: 2,
  firstRetryMs: 100,
};
