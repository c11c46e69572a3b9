import { BrokerUnavailable, OutcomeUnknown } from '@gatehouse/domain/broker';
import {
  CircuitState,
  ConsecutiveBreaker,
  circuitBreaker,
  ExponentialBackoff,
  handleWhen,
  isBrokenCircuitError,
  retry,
} from 'cockatiel';
import { Agent } from 'undici';
import { exchange, type HttpRequest, NoAnswer } from './exchange.ts';
import { type AlpacaLimits, LIMITS } from './limits.ts';
import { retryAfterMs } from './retry-after.ts';

export interface AlpacaClientOptions {
  /** Of the trading or of the data API, without a path. */
  readonly url: string;
  readonly keyId: string;
  readonly secretKey: string;
  readonly limits?: Partial<AlpacaLimits>;
}

/** When nobody says how long to wait. */
const RETRY_MS = 2_000;

export interface AlpacaRequest {
  readonly method: HttpRequest['method'];
  readonly path: string;
  /** Sent as JSON. */
  readonly body?: object;
}

/** Alpaca's word on a request: a status below 500 other than 429. */
export interface AlpacaAnswer {
  readonly status: number;
  /** Undefined when it is not JSON. */
  readonly body: unknown;
}

export interface AlpacaClient {
  /**
   * Sends a request: a `GET` again when it fails, anything else once. Behind a breaker, which time-outs, broken
   * connections and 5xx open.
   *
   * @throws {BrokerUnavailable} when nothing was done: it was not sent, Alpaca has no time (429, or 503 with
   * `Retry-After`), or it was a read
   * @throws {OutcomeUnknown} when it was sent, and what became of it is not known
   */
  call(request: AlpacaRequest, signal: AbortSignal): Promise<AlpacaAnswer>;
  /** Ends what is under way, with its outcome unknown. */
  close(): Promise<void>;
}

export function createAlpacaClient(options: AlpacaClientOptions): AlpacaClient {
  const limits = { ...LIMITS, ...options.limits };
  const headers = {
    'apca-api-key-id': options.keyId,
    'apca-api-secret-key': options.secretKey,
    accept: 'application/json',
    'content-type': 'application/json',
    'user-agent': 'gatehouse',
  };
  const agent = new Agent({
    connect: { timeout: limits.connectMs },
    headersTimeout: limits.headersMs,
    bodyTimeout: limits.bodyMs,
    maxResponseSize: limits.bodyBytes,
    // One request at a time on a connection, so that one that breaks leaves one outcome unknown.
    allowH2: false,
  });

  const retries = retry(handleWhen(isWorthRetrying), {
    maxAttempts: limits.retries,
    backoff: new ExponentialBackoff({ initialDelay: limits.firstRetryMs }),
  });
  let openUntil = 0;
  const breaker = circuitBreaker(
    // cockatiel takes an error that is not handled for a success of the one call that may try.
    handleWhen((error) => !(error instanceof GivenUp) || breaker.state === CircuitState.HalfOpen),
    { breaker: new ConsecutiveBreaker(limits.failures), halfOpenAfter: limits.openMs },
  );
  breaker.onBreak(() => {
    openUntil = Date.now() + limits.openMs;
  });

  async function attempt(request: HttpRequest, signal: AbortSignal) {
    const { status, retryAfter, body } = await exchange(agent, options.url, request, signal);
    const retryInMs = retryAfterMs(retryAfter, new Date());
    if (status >= 500) {
      const mayBeDone = status !== 503 || retryInMs === null;
      throw new NoAnswer(`Alpaca answered ${status}`, { mayBeDone, retryInMs });
    }
    return { status, retryInMs, body: parse(body) };
  }

  async function attempts(request: HttpRequest, signal: AbortSignal) {
    const limited = AbortSignal.any([signal, AbortSignal.timeout(limits.totalMs)]);
    try {
      return request.method === 'GET'
        ? await retries.execute(() => attempt(request, limited), limited)
        : await attempt(request, limited);
    } catch (error) {
      throw signal.aborted && error instanceof NoAnswer ? new GivenUp(error) : error;
    }
  }

  return {
    async call({ method, path, body }, signal) {
      if (signal.aborted) {
        throw new BrokerUnavailable('given up before Alpaca was asked', RETRY_MS, {
          cause: signal.reason,
        });
      }
      const request = { method, path, headers, ...(body && { body: JSON.stringify(body) }) };
      try {
        const answer = await breaker.execute(() => attempts(request, signal));
        if (answer.status !== 429) return { status: answer.status, body: answer.body };
        throw new BrokerUnavailable('Alpaca answered 429', answer.retryInMs ?? RETRY_MS);
      } catch (error) {
        if (isBrokenCircuitError(error)) {
          const retryInMs = Math.max(1, openUntil - Date.now());
          throw new BrokerUnavailable(
            'Alpaca has failed too often, its breaker is open',
            retryInMs,
          );
        }
        throw error instanceof NoAnswer ? outcome(error, method) : error;
      }
    },
    close: () => agent.destroy(),
  };
}

/** A request that its caller did not wait for. It says nothing about Alpaca. */
class GivenUp extends NoAnswer {
  constructor({ message, mayBeDone, cause }: NoAnswer) {
    super(message, { mayBeDone, cause });
  }
}

function isWorthRetrying(error: unknown): boolean {
  return error instanceof NoAnswer && error.retryInMs === null;
}

function outcome(error: NoAnswer, method: HttpRequest['method']): Error {
  const { message, mayBeDone, retryInMs, cause } = error;
  return mayBeDone && method !== 'GET'
    ? new OutcomeUnknown(message, { cause })
    : new BrokerUnavailable(message, retryInMs ?? RETRY_MS, { cause });
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
