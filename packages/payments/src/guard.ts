import {
  CircuitState,
  ConsecutiveBreaker,
  circuitBreaker,
  handleWhen,
  isBrokenCircuitError,
} from 'cockatiel';
import {
  GivenUp,
  isAnswered,
  isTrouble,
  MISTAKE_RETRY_MS,
  NoAnswer,
  RETRY_MS,
  toFailure,
} from './failures.ts';
import { PaymentsUnavailable } from './payments.ts';

export interface GuardLimits {
  /** Milliseconds that one request may take with its retries. */
  readonly totalMs: number;
  /** Failures in a row that open the breaker. */
  readonly failures: number;
  /** Milliseconds for which it then stays open. */
  readonly openMs: number;
}

/**
 * Asks Stripe, within the time that there is and behind the breaker.
 *
 * @throws {PaymentsUnavailable}, {PaymentsRefused} and {PaymentUnreadable}
 */
export type Guard = <T>(ask: () => Promise<T>, signal: AbortSignal) => Promise<T>;

/** @param onOpen told why the breaker opens */
export function createGuard(limits: GuardLimits, onOpen: (failure: Error) => void): Guard {
  let retryAt = 0;
  const breaker = circuitBreaker(
    // cockatiel takes an error that is not handled for a success of the one call that may try.
    handleWhen((error) =>
      breaker.state === CircuitState.HalfOpen ? !isAnswered(error) : isTrouble(error),
    ),
    { breaker: new ConsecutiveBreaker(limits.failures), halfOpenAfter: limits.openMs },
  );
  breaker.onBreak((reason) => {
    const failure = toFailure('error' in reason ? reason.error : undefined);
    // Those who come while it is open are not to come again before what opened it may be over.
    const waitMs = failure instanceof PaymentsUnavailable ? failure.retryInMs : RETRY_MS;
    retryAt = Date.now() + Math.max(limits.openMs, Math.min(waitMs, MISTAKE_RETRY_MS));
    onOpen(failure);
  });

  return async (ask, signal) => {
    if (signal.aborted) throw new PaymentsUnavailable('given up before Stripe was asked', RETRY_MS);
    try {
      return await breaker.execute(() => within(ask, limits.totalMs, signal));
    } catch (error) {
      if (!isBrokenCircuitError(error)) throw toFailure(error);
      const retryInMs = Math.max(1, retryAt - Date.now());
      throw new PaymentsUnavailable('Stripe has failed too often, its breaker is open', retryInMs);
    }
  };
}

/** The library cannot be told to give up: what it has under way goes on, and nobody waits for it. */
async function within<T>(ask: () => Promise<T>, ms: number, signal: AbortSignal): Promise<T> {
  const { promise: cut, reject } = Promise.withResolvers<never>();
  const giveUp = () => reject(new GivenUp('nobody waits for the answer any more'));
  const timer = setTimeout(() => reject(new NoAnswer(`no answer within ${ms} ms`)), ms);
  signal.addEventListener('abort', giveUp, { once: true });
  try {
    return await Promise.race([ask(), cut]);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', giveUp);
  }
}
