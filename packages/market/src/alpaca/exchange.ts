import type { Agent, Dispatcher } from 'undici';

export interface HttpRequest {
  readonly method: 'GET' | 'POST' | 'DELETE';
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
}

export interface HttpAnswer {
  readonly status: number;
  /** The `Retry-After` header as it was sent. */
  readonly retryAfter: string | null;
  readonly body: string;
}

/** A request that has no answer, or none that says what became of it. */
export class NoAnswer extends Error {
  override readonly name = 'NoAnswer';
  /** Whether the other side may have seen it. */
  readonly mayBeDone: boolean;
  /** Milliseconds until it is worth another try, when the other side has said so. */
  readonly retryInMs: number | null;

  constructor(
    message: string,
    { mayBeDone, retryInMs = null, cause }: NoAnswerOptions & ErrorOptions,
  ) {
    super(message, { cause });
    this.mayBeDone = mayBeDone;
    this.retryInMs = retryInMs;
  }
}

interface NoAnswerOptions {
  mayBeDone: boolean;
  retryInMs?: number | null;
}

/**
 * Sends a request, once, and reads the answer. undici's `request` does not tell an order that never left from one whose
 * answer was lost; its `dispatch`, which that is made of, does.
 *
 * @throws {NoAnswer} when there is none, or when the signal gives it up
 */
export function exchange(
  agent: Agent,
  origin: string,
  request: HttpRequest,
  signal: AbortSignal,
): Promise<HttpAnswer> {
  const { promise, resolve, reject } = Promise.withResolvers<HttpAnswer>();
  const chunks: Buffer[] = [];
  let controller: Dispatcher.DispatchController | null = null;
  let status = 0;
  let retryAfter: string | null = null;

  const fail = (error: unknown): void => {
    signal.removeEventListener('abort', giveUp);
    const message = `Alpaca did not answer: ${describe(error)}`;
    reject(new NoAnswer(message, { mayBeDone: controller !== null, cause: error }));
  };
  const giveUp = (): void => {
    fail(signal.reason);
    controller?.abort(new Error('given up', { cause: signal.reason }));
  };
  if (signal.aborted) {
    giveUp();
    return promise;
  }
  signal.addEventListener('abort', giveUp);

  agent.dispatch(
    { origin, ...request, body: request.body ?? null },
    {
      // Just before the first byte is written.
      onRequestStart(given) {
        if (signal.aborted) given.abort(new Error('given up before it was sent'));
        else controller = given;
      },
      onResponseStart(_, statusCode, headers) {
        const value = headers['retry-after'];
        [status, retryAfter] = [statusCode, typeof value === 'string' ? value : null];
      },
      onResponseData(_, chunk) {
        chunks.push(chunk);
      },
      onResponseEnd() {
        signal.removeEventListener('abort', giveUp);
        resolve({ status, retryAfter, body: Buffer.concat(chunks).toString('utf8') });
      },
      onResponseError: (_, error) => fail(error),
    },
  );
  return promise;
}

/** Some errors of a connection have a code and no message: those of several addresses at once. */
function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.message !== '') return error.message;
  return 'code' in error ? String(error.code) : error.name;
}
