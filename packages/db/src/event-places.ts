import type { Queryable } from './client.ts';
import { KEPT_SINCE } from './event-retention.ts';

/** How far the log goes: there is nothing after `last`, and nothing up to `before` is there any more. */
export interface LogRange {
  before: bigint;
  last: bigint;
  /** What happened earlier is old. */
  keptSince: Date;
}

export async function readLogRange(db: Queryable): Promise<LogRange> {
  const [range] = await db.$queryRaw<LogRange[]>`
    SELECT COALESCE((SELECT min(seq) FROM event) - 1, last_seq) AS before, last_seq AS last, ${KEPT_SINCE} AS "keptSince"
    FROM event_log`;
  if (range === undefined) throw new Error('the event log has lost its end');
  return range;
}

/**
 * A place in the log up to which there is nothing of `at` or later, but for what is out of order. Its places follow one
 * another, so that some twenty looks are enough, however long it is.
 */
export async function findPlaceBefore(
  db: Queryable,
  { before, last }: LogRange,
  at: Date,
): Promise<bigint> {
  let [low, high] = [before, last];
  while (low < high) {
    const middle = (low + high + 1n) / 2n;
    const event = await db.event.findFirst({
      where: { seq: middle },
      select: { createdAt: true },
    });
    // What is gone by now was at the beginning.
    if (event === null || event.createdAt < at) low = middle;
    else high = middle - 1n;
  }
  return low;
}
