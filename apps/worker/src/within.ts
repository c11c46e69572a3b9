/** Whether the work ends well within the time. It goes on when not; its errors are lost then. */
export async function within(ms: number, work: Promise<unknown>): Promise<boolean> {
  const { promise: timedOut, resolve } = Promise.withResolvers<boolean>();
  const timer = setTimeout(resolve, ms, false);
  const succeeded = work.then(
    () => true,
    () => false,
  );
  const isDone = await Promise.race([succeeded, timedOut]);
  clearTimeout(timer);
  return isDone;
}
