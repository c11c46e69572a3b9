import type { Dispatcher } from 'undici';
import { describeSendError, isShortage, TIMED_OUT } from './send-error.ts';

/** For the whole exchange, from the connection to the last byte of the answer. */
const ANSWER_MS = 15_000;

/** How much of an answer is read; of one that says that all is well, less is kept. */
const BODY_BYTES = 16_384;
const SUCCESS_BYTES = 1_024;

export interface Answer {
  /** Null when none came. */
  statusCode: number | null;
  /** Of the header `retry-after`. */
  retryAfter: string | undefined;
  /** The beginning of it, as text: 1 KB of a success, 16 KB of a failure. */
  body: string | null;
  /** Why none came. One that breaks off has come. */
  error: string | null;
  durationMs: number;
}

/** Over undici's own handler interface: a response stream for each would cost more than the rest of the request. */
export class Exchange implements Dispatcher.DispatchHandler {
  readonly endsAt: number;
  readonly #startedAt = performance.now();
  readonly #settle: (answer: Answer | null) => void;
  #controller: Dispatcher.DispatchController | null = null;
  #isOver = false;
  #statusCode: number | null = null;
  #retryAfter: string | undefined;
  #chunks: Buffer[] = [];
  #bytes = 0;

  constructor(settle: (answer: Answer | null) => void) {
    this.#settle = settle;
    this.endsAt = this.#startedAt + ANSWER_MS;
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#isOver) this.#drop();
  }

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    statusCode: number,
    headers: Record<string, string | string[] | undefined>,
  ): void {
    if (statusCode < 200) return;
    this.#statusCode = statusCode;
    const retryAfter = headers['retry-after'];
    this.#retryAfter = Array.isArray(retryAfter) ? retryAfter[0] : retryAfter;
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#isOver) return;
    // The chunk may be a view of a buffer that is used again.
    this.#chunks.push(Buffer.from(chunk.subarray(0, BODY_BYTES - this.#bytes)));
    this.#bytes += chunk.length;
    if (this.#bytes <= BODY_BYTES) return;
    // The connection goes with the rest of it: that may be endless.
    this.#end(null);
    this.#drop();
  }

  onResponseEnd(): void {
    this.#end(null);
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.fail(error);
  }

  fail(error: unknown): void {
    if (isShortage(error)) this.cut();
    else this.#end(describeSendError(error));
  }

  /** Its time is up. To connect fails sooner: what was not begun has waited for a connection that others had. */
  expire(): void {
    if (this.#controller === null) this.cut();
    this.#end(TIMED_OUT);
    this.#drop();
  }

  /** It is given up, and that says nothing of the receiver. */
  cut(): void {
    if (!this.#isOver) {
      this.#isOver = true;
      this.#settle(null);
    }
    this.#drop();
  }

  #drop(): void {
    this.#controller?.abort(new Error('given up'));
  }

  #end(error: string | null): void {
    if (this.#isOver) return;
    this.#isOver = true;
    const status = this.#statusCode;
    const isSuccess = status !== null && status < 300;
    const mostBytes = isSuccess ? SUCCESS_BYTES : BODY_BYTES;
    const body = status === null ? null : textOf(this.#chunks, mostBytes);
    this.#settle({
      statusCode: status,
      retryAfter: this.#retryAfter,
      body,
      // Its status says everything.
      error: status === null ? error : null,
      durationMs: Math.round(performance.now() - this.#startedAt),
    });
    this.#chunks = [];
  }
}

/** NUL is the one character that a text in Postgres cannot hold; a replacement takes more bytes than what it replaces. */
function textOf(chunks: readonly Buffer[], mostBytes: number): string {
  if (chunks.length === 0) return '';
  const text = Buffer.concat(chunks).toString().replaceAll('\0', '');
  if (Buffer.byteLength(text) <= mostBytes) return text;
  const cut = Buffer.from(text).subarray(0, mostBytes).toString();
  return cut.replace(/\uFFFD+$/, '');
}
