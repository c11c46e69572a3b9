import { newId } from '@gatehouse/domain/id';
import type { Transaction } from './client.ts';
import type { Event } from './generated/client.ts';
import { insertDeliveries } from './webhook-deliveries.ts';
import { type HeardEvent, hears, type Listener } from './webhook-listeners.ts';

/** Deliveries of one transaction, or a few more: few enough that the log and endpoints are locked for moments. */
const MOST_DELIVERIES = 2_000;

/** An event that is about to get its place in the log. */
export type FannedEvent = HeardEvent & Pick<Event, 'id' | 'requestId'>;

/** What one endpoint is told, in its order: never nothing. */
export interface Fan {
  listener: Listener;
  events: FannedEvent[];
}

/** An endpoint that has something to do. */
export interface FannedOut {
  endpointId: string;
  /** Not before: it is paused until then, or the first of its order waits for its retry. Null for at once. */
  runAt: Date | null;
  /** Of the newest event. */
  requestId: string | null;
}

/**
 * Who is told what of the first of these events: of all, or of those up to the one with which there are
 * `MOST_DELIVERIES`. So that is at least one.
 */
export function planFans(
  events: readonly FannedEvent[],
  listeners: readonly Listener[],
): { first: FannedEvent[]; fans: Fan[] } {
  const fansOf = Map.groupBy(
    listeners.map((listener): Fan => ({ listener, events: [] })),
    ({ listener }) => listener.accountId,
  );
  const first: FannedEvent[] = [];
  let deliveries = 0;
  for (const event of events) {
    if (deliveries >= MOST_DELIVERIES) break;
    const fans = fansOf.get(event.accountId) ?? [];
    const told = fans.filter(({ listener }) => hears(listener, event));
    for (const fan of told) fan.events.push(event);
    deliveries += told.length;
    first.push(event);
  }
  return { first, fans: [...fansOf.values()].flat().filter((fan) => fan.events.length > 0) };
}

/**
 * Inserts a delivery of each event for each endpoint that is told of it, in the order of the events. For a transaction
 * that holds the log, so that what an endpoint listens to stays as it is.
 */
export async function fanOut(
  tx: Transaction,
  fans: readonly Fan[],
): Promise<{ deliveries: number; endpoints: FannedOut[] }> {
  if (fans.length === 0) return { deliveries: 0, endpoints: [] };
  const deliveries = fans.flatMap(
    ({ listener: { id: endpointId, accountId, lastSequence }, events }) =>
      events.map(({ id: eventId }, index) => ({
        ...{ id: newId(), accountId, endpointId, eventId },
        sequence: lastSequence + BigInt(index) + 1n,
      })),
  );
  await insertDeliveries(tx, deliveries);
  const runAts = await countOn(tx, fans);
  const endpoints = fans
    .filter(({ listener }) => listener.isEnabled || listener.isDeleted)
    .map(({ listener: { id: endpointId }, events }) => ({
      endpointId,
      runAt: runAts.get(endpointId) ?? null,
      requestId: events.at(-1)?.requestId ?? null,
    }));
  return { deliveries: deliveries.length, endpoints };
}

/**
 * Moves on the last sequences of endpoints, and returns when each has something to do. After the lock and the deliveries:
 * the first of an order may just have been retried by hand.
 */
async function countOn(tx: Transaction, fans: readonly Fan[]): Promise<Map<string, Date | null>> {
  const rows = await tx.$queryRaw<{ id: string; runAt: Date | null }[]>`
    WITH counted AS (
      UPDATE webhook_endpoint AS endpoint SET last_sequence = input.last_sequence
      FROM unnest(${fans.map(({ listener }) => listener.id)}::uuid[],
        ${fans.map(({ listener, events }) => listener.lastSequence + BigInt(events.length))}::bigint[]
      ) AS input (id, last_sequence)
      WHERE endpoint.id = input.id
      RETURNING endpoint.id, GREATEST(endpoint.paused_until, CASE WHEN endpoint.ordered THEN (
        SELECT next_attempt_at FROM webhook_delivery
        WHERE endpoint_id = endpoint.id AND status = 'pending' ORDER BY sequence LIMIT 1
      ) END) AS run_at
    )
    SELECT id, CASE WHEN run_at > clock_timestamp() THEN run_at END AS "runAt" FROM counted`;
  return new Map(rows.map(({ id, runAt }) => [id, runAt]));
}
