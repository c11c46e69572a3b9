import type { EventType } from '@gatehouse/domain/event-types';
import type { Transaction } from './client.ts';

/** Something that happened to an account. */
export interface NewEvent {
  id: string;
  accountId: string;
  type: EventType;
  /** The resource right after, as the API shows it. */
  data: object;
  requestId: string | null;
  at: Date;
  /** The one endpoint that is told, whatever it listens to; all that listen unless given. */
  onlyEndpointId?: string;
}

/** Writes down what happened, in the transaction in which it happens. The publisher gives it its place in the log. */
export async function insertEvents(tx: Transaction, events: readonly NewEvent[]): Promise<void> {
  if (events.length === 0) return;
  await tx.$executeRaw`
    INSERT INTO event (id, account_id, type, data, request_id, created_at, only_endpoint_id)
    SELECT * FROM unnest(
      ${events.map((e) => e.id)}::uuid[], ${events.map((e) => e.accountId)}::uuid[],
      ${events.map((e) => e.type)}::text[], ${events.map((e) => JSON.stringify(e.data))}::json[],
      ${events.map((e) => e.requestId)}::text[], ${events.map((e) => e.at)}::timestamptz[],
      ${events.map((e) => e.onlyEndpointId ?? null)}::uuid[])`;
}
