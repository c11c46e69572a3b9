/**
 * The moment at which a `day` order created at the given time stops being good: the next midnight UTC. The
 * paper market has no calendar; its trading day is the UTC date.
 *
 * @throws {RangeError} when the date is not valid
 */
export function tradingDayEnd(createdAt: Date): Date {
  const end = new Date(
    Date.UTC(createdAt.getUTCFullYear(), createdAt.getUTCMonth(), createdAt.getUTCDate() + 1),
  );
  if (Number.isNaN(end.getTime())) {
    throw new RangeError('a trading day needs a valid date');
  }
  return end;
}

/** Whether the trading day of `createdAt` is over at `at`. */
export function isTradingDayOver(createdAt: Date, at: Date): boolean {
  return at.getTime() >= tradingDayEnd(createdAt).getTime();
}
