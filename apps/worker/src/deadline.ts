/** A run took longer than its definition allows. */
export class TimedOut extends Error {
  override readonly name = 'TimedOut';

  constructor(ms: number) {
    super(`the run was not over after ${ms / 1_000} s`);
  }
}

/**
 * Runs work under a signal that fires with the given one, or when the time is up. Work that does not heed it is left
 * behind then: it may go on, and nobody waits for what becomes of it.
 *
 * @throws {TimedOut} when the time is up
 */
export async function withDeadline(
  ms: number,
  outer: AbortSignal,
  work: (signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const controller = new AbortController();
  const { promise: timedOut, reject } = Promise.withResolvers<never>();
  const follow = () => controller.abort(outer.reason);
  const timer = setTimeout(() => {
    const error = new TimedOut(ms);
    controller.abort(error);
    reject(error);
  }, ms);
  if (outer.aborted) follow();
  outer.addEventListener('abort', follow);
  try {
    await Promise.race([work(controller.signal), timedOut]);
  } finally {
    clearTimeout(timer);
    outer.removeEventListener('abort', follow);
  }
}
