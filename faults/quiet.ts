import type { Database } from '@gatehouse/db/client';
import { until } from '@gatehouse/testing/condition';
import type { FaultyStack } from './faulty-stack.ts';

const PROBE_MS = 2_000;

/**
 * Waits until every process is back and ready, nothing is owed but what is dead, and no order is open that the
 * market would fill.
 *
 * @throws when that takes too long, with what is still about
 */
export async function untilQuiet(stack: FaultyStack, db: Database, timeoutMs: number) {
  await until(async () => (await unrest(stack, db)) === null, {
    what: 'quiet',
    timeoutMs,
  }).catch(async (cause: unknown) => {
    const why = await unrest(stack, db).catch(String);
    throw new Error(`after ${timeoutMs / 1_000} s it is not quiet: ${why}`, { cause });
  });
}

/** Null when it is quiet. */
async function unrest(stack: FaultyStack, db: Database): Promise<string | null> {
  const { apiUrls, workerUrls } = stack.now();
  for (const url of [...apiUrls, ...workerUrls]) {
    const { status } = await fetch(`${url}/ready`, { signal: AbortSignal.timeout(PROBE_MS) });
    if (status !== 200) return `${url} is not ready: ${status}`;
  }
  const owed = await db.job.groupBy({
    by: ['name', 'state'],
    where: { state: { not: 'dead' } },
    _count: true,
  });
  if (owed.length > 0) return owed.map((job) => `${job._count} ${job.name} ${job.state}`).join();
  const unpublished = await db.event.count({ where: { seq: null } });
  if (unpublished > 0) return `${unpublished} events are not published`;
  const open = await db.order.count({
    where: { type: 'market', status: { in: ['accepted', 'submitted', 'partially_filled'] } },
  });
  return open > 0 ? `${open} market orders are open` : null;
}
