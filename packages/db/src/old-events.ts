import type { Database } from './client.ts';
import { CANCELED } from './webhook-deliveries.ts';

/** For which events are kept, and for which deliveries may be pending. */
const KEPT_DAYS = 30;

/**
 * Gives up deliveries of the first `limit` events that have been pending for too long, however they fare: one endpoint
 * that is disabled or slow would keep the events of all. Returns how many.
 */
export async function cancelOldDeliveries(db: Database, limit: number): Promise<number> {
  return db.$executeRaw`
    UPDATE webhook_delivery AS delivery SET ${CANCELED}
    FROM (
      SELECT d.id FROM (SELECT id FROM event WHERE seq IS NOT NULL ORDER BY seq LIMIT ${limit}) AS first
      JOIN webhook_delivery d ON d.event_id = first.id
      WHERE d.status = 'pending' AND d.created_at < now() - make_interval(days => ${KEPT_DAYS})
      ORDER BY d.id FOR NO KEY UPDATE OF d SKIP LOCKED
    ) AS old
    WHERE delivery.id = old.id`;
}

interface OldEvent {
  id: string;
  isOld: boolean;
}

/**
 * Deletes events of the beginning of the log that are old and owed to nobody, with their deliveries: `limit` of them, up
 * to the first that is young or still owed, so that the places in the log that are left follow one another. Returns how
 * many.
 */
export async function deleteOldEvents(db: Database, limit: number): Promise<number> {
  return db.$transaction(async (tx) => {
    // Locked before their deliveries: a replay that would owe one of them anew comes before this, or finds it gone.
    const events = await tx.$queryRaw<OldEvent[]>`
      SELECT id, created_at < now() - make_interval(days => ${KEPT_DAYS}) AS "isOld"
      FROM event WHERE seq IS NOT NULL ORDER BY seq LIMIT ${limit} FOR UPDATE`;
    const old = takeWhile(events, ({ isOld }) => isOld).map(({ id }) => id);
    if (old.length === 0) return 0;
    const deliveries = await tx.$queryRaw<{ eventId: string; status: string }[]>`
      SELECT event_id AS "eventId", status FROM webhook_delivery
      WHERE event_id = ANY(${old}::uuid[]) ORDER BY id FOR UPDATE`;
    const owed = new Set(
      deliveries.flatMap(({ eventId, status }) => (status === 'pending' ? eventId : [])),
    );
    const free = takeWhile(old, (id) => !owed.has(id));
    await tx.$executeRaw`DELETE FROM webhook_delivery WHERE event_id = ANY(${free}::uuid[])`;
    return tx.$executeRaw`DELETE FROM event WHERE id = ANY(${free}::uuid[])`;
  });
}

/**
 * Deletes what is about events that are all gone: replays that ended long ago, and what endpoints listened to once.
 * Returns how many rows.
 */
export async function deleteOldTraces(db: Database): Promise<number> {
  const replays = await db.$executeRaw`
    DELETE FROM webhook_replay USING event_log AS log
    WHERE ended_at < now() - make_interval(days => ${KEPT_DAYS})
      AND end_seq < COALESCE((SELECT min(seq) FROM event), log.last_seq + 1)`;
  const subscriptions = await db.$executeRaw`
    DELETE FROM webhook_subscription USING event_log AS log
    WHERE until_seq < COALESCE((SELECT min(seq) FROM event), log.last_seq + 1)`;
  return replays + subscriptions;
}

function takeWhile<T>(items: readonly T[], holds: (item: T) => boolean): T[] {
  const end = items.findIndex((item) => !holds(item));
  return items.slice(0, end === -1 ? items.length : end);
}
