import type { StoredOrder } from '@gatehouse/db/orders';

const SHORTEST_MS = 500;
const LONGEST_MS = 30_000;
/** Of its age: an order of a minute is looked at every fifteen seconds. */
const PART = 4;

/**
 * Milliseconds until the next look at an open order: soon while something is likely to happen, right after it was
 * placed or its owner asked to cancel it, and later and later when it rests.
 */
export function reconcileDelayMs(
  { createdAt, cancelRequestedAt }: Pick<StoredOrder, 'createdAt' | 'cancelRequestedAt'>,
  at: Date,
): number {
  const since = Math.max(createdAt.getTime(), cancelRequestedAt?.getTime() ?? 0);
  return Math.min(Math.max((at.getTime() - since) / PART, SHORTEST_MS), LONGEST_MS);
}
