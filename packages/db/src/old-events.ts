import type { Database, Transaction } from './client.ts';
import { KEPT_SINCE } from './event-retention.ts';

/** Rows that one call has deleted: `events`, and with what was sent of them `rows`. */
export interface DeletedEvents {
  events: number;
  rows: number;
}

const NOTHING: DeletedEvents = { events: 0, rows: 0 };

/**
 * Deletes from the beginning of the log what is old and owed to nobody, up to the first event that is young or still owed,
 * so that the places that are left follow one another. A call is bounded by `limit` in all that it does, whatever was sent
 * of an event: first go attempts and deliveries that no invariant asks for, a part at a time, then events with the rest.
 * There is nothing left to do when it has deleted no `rows`.
 */
export async function deleteOldEvents(db: Database, limit: number): Promise<DeletedEvents> {
  const events = await readOldEvents(db, limit);
  const [first] = events;
  if (first === undefined) return NOTHING;
  const [surplusOf] = first.deliveryIds.length > limit ? [first.id] : [];
  const deliveryIds =
    surplusOf === undefined
      ? events.flatMap((event) => event.deliveryIds)
      : await listSurplus(db, surplusOf, limit);
  const attempts = await deleteAttempts(db, deliveryIds, limit);
  if (attempts > 0) return { events: 0, rows: attempts };
  if (surplusOf !== undefined) return { events: 0, rows: await deleteEnded(db, deliveryIds) };
  const ids = events.map(({ id }) => id);
  const deleted = await db.$transaction((tx) => deleteUnowed(tx, ids));
  return { events: deleted, rows: deleted };
}

interface OldEvent {
  id: string;
  deliveryIds: string[];
}

/**
 * The first events of the log, with their deliveries, of which there are `limit` at most; but one event with one more when
 * that alone has as many. None that is young or owed, nor one that comes after such a one.
 */
async function readOldEvents(db: Database, limit: number): Promise<OldEvent[]> {
  const rows = await db.$queryRaw<
    { id: string; deliveryId: string | null; isOld: boolean; isOwed: boolean }[]
  >`
    SELECT event.id, delivery.id AS "deliveryId", created_at < ${KEPT_SINCE} AS "isOld",
      COALESCE(delivery.status = 'pending', false) AS "isOwed"
    FROM (SELECT id, seq, created_at FROM event WHERE seq IS NOT NULL ORDER BY seq LIMIT ${limit}) AS event
    LEFT JOIN LATERAL (
      SELECT id, status FROM webhook_delivery WHERE event_id = event.id ORDER BY endpoint_id LIMIT ${limit + 1}
    ) AS delivery ON true
    ORDER BY event.seq LIMIT ${limit + 1}`;
  const groups = [...Map.groupBy(rows, ({ id }) => id)];
  // What comes after the last row may be of the same event.
  const whole = rows.length > limit && groups.length > 1 ? groups.slice(0, -1) : groups;
  const end = whole.findIndex(([, of]) => of.some(({ isOld, isOwed }) => !isOld || isOwed));
  return (end === -1 ? whole : whole.slice(0, end)).map(([id, of]) => ({
    id,
    deliveryIds: of.flatMap(({ deliveryId }) => deliveryId ?? []),
  }));
}

/**
 * Deliveries of an event beyond its first `limit`, as many at most. Those that endpoints were owed when it was published
 * are not among them: an account has fewer endpoints at a time, and those that came later have a greater id.
 */
async function listSurplus(db: Database, eventId: string, limit: number): Promise<string[]> {
  const rows = await db.webhookDelivery.findMany({
    where: { eventId },
    orderBy: { endpointId: 'asc' },
    skip: limit,
    take: limit,
    select: { id: true },
  });
  return rows.map(({ id }) => id);
}

/** Deletes attempts of what is not pending, `limit` at most, and leaves each delivery that arrived one that says so. */
async function deleteAttempts(
  db: Database,
  deliveryIds: readonly string[],
  limit: number,
): Promise<number> {
  return db.$executeRaw`
    WITH chosen AS MATERIALIZED (
      SELECT delivery_id, id FROM webhook_attempt AS attempt
      WHERE delivery_id = ANY(${[...deliveryIds]}::uuid[]) AND (error IS NOT NULL OR EXISTS (
        SELECT 1 FROM webhook_attempt AS earlier
        WHERE earlier.delivery_id = attempt.delivery_id AND earlier.id < attempt.id AND earlier.error IS NULL))
      LIMIT ${limit}
    ), locked AS MATERIALIZED (
      SELECT id FROM webhook_delivery
      WHERE id IN (SELECT delivery_id FROM chosen) AND status <> 'pending' ORDER BY id FOR UPDATE
    )
    DELETE FROM webhook_attempt AS attempt USING chosen JOIN locked ON locked.id = chosen.delivery_id
    WHERE attempt.delivery_id = chosen.delivery_id AND attempt.id = chosen.id`;
}

/** Deletes those of the deliveries that are not pending, by now. */
async function deleteEnded(db: Database, ids: readonly string[]): Promise<number> {
  return db.$executeRaw`
    WITH locked AS MATERIALIZED (
      SELECT id FROM webhook_delivery WHERE id = ANY(${[...ids]}::uuid[]) AND status <> 'pending' ORDER BY id FOR UPDATE
    )
    DELETE FROM webhook_delivery WHERE id IN (SELECT id FROM locked)`;
}

/** Deletes events up to the first that is owed by now, with their deliveries. Returns how many events. */
async function deleteUnowed(tx: Transaction, ids: readonly string[]): Promise<number> {
  // Locked before their deliveries: a replay that would owe one of them anew comes before this, or finds it gone.
  await tx.$executeRaw`SELECT 1 FROM event WHERE id = ANY(${[...ids]}::uuid[]) ORDER BY seq FOR UPDATE`;
  const rows = await tx.$queryRaw<{ id: string }[]>`
    WITH locked AS MATERIALIZED (
      SELECT event_id, status FROM webhook_delivery WHERE event_id = ANY(${[...ids]}::uuid[]) ORDER BY id FOR UPDATE
    )
    SELECT DISTINCT event_id AS id FROM locked WHERE status = 'pending'`;
  const owed = new Set(rows.map(({ id }) => id));
  const end = ids.findIndex((id) => owed.has(id));
  const free = end === -1 ? ids : ids.slice(0, end);
  await tx.$executeRaw`DELETE FROM webhook_delivery WHERE event_id = ANY(${[...free]}::uuid[])`;
  return tx.$executeRaw`DELETE FROM event WHERE id = ANY(${[...free]}::uuid[])`;
}
