import { listensTo } from '@gatehouse/domain/event-filter';
import { newId } from '@gatehouse/domain/id';
import type { Transaction } from './client.ts';
import { insertDeliveries, type NewDelivery } from './webhook-deliveries.ts';

/** An event that has just got its place in the log. */
export interface PublishedEvent {
  id: string;
  accountId: string;
  type: string;
  onlyEndpointId: string | null;
  requestId: string | null;
}

/** An endpoint that has something to do. */
export interface FannedOut {
  endpointId: string;
  /** Not before: it is paused until then, or the first of its order waits for its retry. Null for at once. */
  runAt: Date | null;
  /** Of the newest event. */
  requestId: string | null;
}

/** An endpoint that the transaction holds. */
interface Listener {
  id: string;
  accountId: string;
  eventTypes: string[];
  lastSequence: bigint;
  isEnabled: boolean;
  isDeleted: boolean;
}

/**
 * Inserts a delivery of each event for each endpoint that listens to it, in the order of the events. For a transaction
 * that holds the log, so that what an endpoint listens to stays as it is.
 */
export async function fanOut(
  tx: Transaction,
  events: readonly PublishedEvent[],
): Promise<{ deliveries: number; endpoints: FannedOut[] }> {
  const listeners = events.length === 0 ? [] : await lockListeners(tx, events);
  const fans = listeners.flatMap((listener) => fanOf(listener, events));
  if (fans.length === 0) return { deliveries: 0, endpoints: [] };
  const deliveries = fans.flatMap((fan) => fan.deliveries);
  await insertDeliveries(tx, deliveries);
  const runAts = await countOn(tx, fans);
  const endpoints = fans
    .filter(({ listener }) => listener.isEnabled || listener.isDeleted)
    .map(({ listener: { id: endpointId }, requestId }) => ({
      endpointId,
      runAt: runAts.get(endpointId) ?? null,
      requestId,
    }));
  return { deliveries: deliveries.length, endpoints };
}

/**
 * The endpoints that may listen, locked, in the order of their ids. A test is owed to its endpoint even when that was
 * disabled since: there it waits; or deleted: there its job cancels it.
 */
async function lockListeners(
  tx: Transaction,
  events: readonly PublishedEvent[],
): Promise<Listener[]> {
  const accountIds = [...new Set(events.map(({ accountId }) => accountId))];
  const tested = events.flatMap(({ onlyEndpointId }) => onlyEndpointId ?? []);
  return tx.$queryRaw<Listener[]>`
    SELECT id, account_id AS "accountId", event_types AS "eventTypes", last_sequence AS "lastSequence",
      disabled_reason IS NULL AND deleted_at IS NULL AS "isEnabled", deleted_at IS NOT NULL AS "isDeleted"
    FROM webhook_endpoint
    WHERE account_id = ANY(${accountIds}::uuid[])
      AND (disabled_reason IS NULL AND deleted_at IS NULL OR id = ANY(${tested}::uuid[]))
    ORDER BY id FOR NO KEY UPDATE`;
}

interface Fan {
  listener: Listener;
  deliveries: NewDelivery[];
  requestId: string | null;
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
        ${fans.map((fan) => fan.listener.lastSequence + BigInt(fan.deliveries.length))}::bigint[]
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

/** What one endpoint is told of these events; nothing when it hears none of them. */
function fanOf(listener: Listener, events: readonly PublishedEvent[]): [Fan] | [] {
  const { id: endpointId, accountId, lastSequence } = listener;
  const heard = events.filter((event) => event.accountId === accountId && hears(listener, event));
  const newest = heard.at(-1);
  if (newest === undefined) return [];
  const deliveries = heard.map(({ id: eventId }, index) => ({
    id: newId(),
    accountId,
    endpointId,
    eventId,
    sequence: lastSequence + BigInt(index) + 1n,
  }));
  return [{ listener, deliveries, requestId: newest.requestId }];
}

function hears({ id, isEnabled, eventTypes }: Listener, event: PublishedEvent): boolean {
  if (event.onlyEndpointId !== null) return event.onlyEndpointId === id;
  return isEnabled && listensTo(eventTypes, event.type);
}
