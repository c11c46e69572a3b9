import type { EventType } from '@gatehouse/domain/event-types';
import { newId } from '@gatehouse/domain/id';
import type { Database } from './client.ts';
import type { IdempotencyRecord } from './idempotency-records.ts';
import { jobColumns, type NewJob } from './jobs.ts';

const ACCEPTED = 'order.accepted' satisfies EventType;

export interface NewOrder {
  id: string;
  accountId: string;
  clientOrderId: string | null;
  symbol: string;
  side: 'buy' | 'sell';
  type: 'market' | 'limit';
  /** Decimal strings. */
  quantity: string;
  limitPrice: string | null;
  timeInForce: 'day' | 'gtc' | 'ioc' | 'fok';
  positionType: 'stock' | 'call' | 'put';
  createdAt: Date;
}

/** An order with everything that its acceptance writes. */
export interface Acceptance {
  order: NewOrder;
  record: IdempotencyRecord;
  job: NewJob;
}

/**
 * Accepts any number of orders in one statement, which is one transaction and one commit: the orders, the answers
 * to their keys, the jobs that they are owed and the events of it, which carry the orders as answered.
 *
 * Returns the ids of the accepted ones; the others have a `clientOrderId` that the account has used before, and
 * nothing of them is written.
 *
 * @throws a unique violation when a key already has its answer; then nothing of the whole batch is written.
 */
export async function acceptOrders(
  db: Database,
  batch: readonly Acceptance[],
): Promise<ReadonlySet<string>> {
  const orders = batch.map(({ order }) => order);
  const records = batch.map(({ record }) => record);
  const j = jobColumns(batch.map(({ job }) => job));
  const accepted = await db.$queryRaw<{ id: string }[]>`
    WITH input AS (
      SELECT * FROM unnest(
        ${orders.map((o) => o.id)}::uuid[], ${orders.map((o) => o.accountId)}::uuid[],
        ${orders.map((o) => o.clientOrderId)}::text[], ${orders.map((o) => o.symbol)}::text[],
        ${orders.map((o) => o.side)}::order_side[], ${orders.map((o) => o.type)}::order_type[],
        ${orders.map((o) => o.quantity)}::numeric[], ${orders.map((o) => o.limitPrice)}::numeric[],
        ${orders.map((o) => o.timeInForce)}::time_in_force[], ${orders.map((o) => o.positionType)}::position_type[],
        ${orders.map((o) => o.createdAt)}::timestamptz[],
        ${records.map((r) => r.key)}::text[], ${records.map((r) => r.fingerprint)}::bytea[],
        ${records.map((r) => r.status)}::int[], ${records.map((r) => JSON.stringify(r.headers))}::jsonb[],
        ${records.map((r) => r.body)}::text[],
        ${j.ids}::uuid[], ${j.queues}::text[], ${j.names}::text[], ${j.payloads}::jsonb[],
        ${j.states}::job_state[], ${j.requestIds}::text[],
        ${batch.map(() => newId())}::uuid[]
      ) AS input (
        id, account_id, client_order_id, symbol, side, type, quantity, limit_price, time_in_force, position_type,
        created_at, key, fingerprint, status, headers, body, job_id, queue, name, payload, state, request_id,
        event_id
      )
    ), accepted AS (
      INSERT INTO "order" (id, account_id, client_order_id, symbol, side, type, quantity, limit_price,
        time_in_force, position_type, created_at, updated_at)
      SELECT id, account_id, client_order_id, symbol, side, type, quantity, limit_price,
        time_in_force, position_type, created_at, created_at
      FROM input
      ON CONFLICT (account_id, client_order_id) DO NOTHING
      RETURNING id
    ), recorded AS (
      INSERT INTO idempotency_record (account_id, key, fingerprint, status, headers, body)
      SELECT account_id, key, fingerprint, status, headers, body FROM input JOIN accepted USING (id)
    ), owed AS (
      INSERT INTO job (id, queue, name, subject_id, payload, state, run_at, request_id)
      SELECT job_id, queue, name, id, payload, state, now(), request_id FROM input JOIN accepted USING (id)
    ), told AS (
      INSERT INTO event (id, account_id, type, data, request_id, created_at)
      SELECT event_id, account_id, ${ACCEPTED}, body::json, request_id, created_at FROM input JOIN accepted USING (id)
    )
    SELECT id FROM accepted`;
  return new Set(accepted.map(({ id }) => id));
}
