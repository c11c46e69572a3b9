import { filtersOf, listensTo } from '@gatehouse/domain/event-filter';
import type { Transaction } from './client.ts';
import type { Event } from './generated/client.ts';

/** What is asked of an event to know who hears it. */
export type HeardEvent = Pick<Event, 'accountId' | 'type' | 'onlyEndpointId'>;

/** An endpoint that the transaction holds. */
export interface Listener {
  id: string;
  accountId: string;
  eventTypes: string[];
  lastSequence: bigint;
  isEnabled: boolean;
  isDeleted: boolean;
}

/**
 * The endpoints that hear one of these events, locked, in the order of their ids. A test is owed to its endpoint even when
 * that was disabled since: there it waits; or deleted: there its job cancels it.
 *
 * For a transaction that holds the log: who hears what stays as it is between the look and the lock.
 */
export async function lockListeners(
  tx: Transaction,
  events: readonly HeardEvent[],
): Promise<Listener[]> {
  const tested = events.flatMap(({ onlyEndpointId }) => onlyEndpointId ?? []);
  const heard = events
    .filter(({ onlyEndpointId }) => onlyEndpointId === null)
    .flatMap(({ accountId, type }) => filtersOf(type).map((filter) => ({ accountId, filter })));
  // The living of an account have an index of their own: an account may have deleted any number.
  return tx.$queryRaw<Listener[]>`
    WITH heard AS (
      SELECT account_id, array_agg(DISTINCT filter) AS filters
      FROM unnest(${heard.map((h) => h.accountId)}::uuid[], ${heard.map((h) => h.filter)}::text[])
        AS input (account_id, filter)
      GROUP BY account_id
    ), chosen AS MATERIALIZED (
      SELECT id FROM heard JOIN webhook_endpoint USING (account_id)
      WHERE deleted_at IS NULL AND disabled_reason IS NULL AND event_types && filters
      UNION
      SELECT unnest(${tested}::uuid[])
    )
    SELECT id, account_id AS "accountId", event_types AS "eventTypes", last_sequence AS "lastSequence",
      disabled_reason IS NULL AND deleted_at IS NULL AS "isEnabled", deleted_at IS NOT NULL AS "isDeleted"
    FROM webhook_endpoint WHERE id IN (SELECT id FROM chosen)
    ORDER BY id FOR NO KEY UPDATE`;
}

/** Whether an endpoint is told of an event of its account. */
export function hears({ id, isEnabled, eventTypes }: Listener, event: HeardEvent): boolean {
  if (event.onlyEndpointId !== null) return event.onlyEndpointId === id;
  return isEnabled && listensTo(eventTypes, event.type);
}
