import type { Database, Queryable, Transaction } from './client.ts';
import { violates } from './errors.ts';

/** How long an answer is kept, after which its key is new: 24 hours. */
export const RECORD_LIFETIME_MS = 24 * 60 * 60 * 1000;

export interface IdempotencyRecord {
  accountId: string;
  key: string;
  /** SHA-256 of the request. */
  fingerprint: Uint8Array<ArrayBuffer>;
  status: number;
  headers: Record<string, string>;
  body: string;
}

export interface StoredRecord extends IdempotencyRecord {
  /** Milliseconds until its key is new. */
  lifetimeMs: number;
}

/** The live record of a key, or null. */
export async function findRecord(
  db: Queryable,
  accountId: string,
  key: string,
): Promise<StoredRecord | null> {
  const [record] = await db.$queryRaw<StoredRecord[]>`
    SELECT account_id AS "accountId", key, fingerprint, status, headers, body,
      ${RECORD_LIFETIME_MS}::int - floor(EXTRACT(EPOCH FROM now() - created_at) * 1000)::int AS "lifetimeMs"
    FROM idempotency_record
    WHERE account_id = ${accountId}::uuid AND key = ${key}
      AND created_at > now() - make_interval(secs => ${RECORD_LIFETIME_MS / 1000})`;
  return record ?? null;
}

/**
 * Inserts the record in the transaction of its effect.
 *
 * @throws when the key has a record, which `isKeyTaken` tells: then the effect must not happen again
 */
export async function insertRecord(tx: Transaction, record: IdempotencyRecord): Promise<void> {
  await tx.$executeRaw`
    INSERT INTO idempotency_record (account_id, key, fingerprint, status, headers, body)
    VALUES (${record.accountId}::uuid, ${record.key}, ${record.fingerprint}, ${record.status},
      ${JSON.stringify(record.headers)}::jsonb, ${record.body})`;
}

/** Whether a transaction failed because an idempotency key already has its record. */
export function isKeyTaken(error: unknown): boolean {
  return violates(error, 'idempotency_record_pkey');
}

/** Frees a key whose record has outlived its time. */
export async function deleteExpiredRecord(
  db: Database,
  accountId: string,
  key: string,
): Promise<void> {
  await db.$executeRaw`
    DELETE FROM idempotency_record
    WHERE account_id = ${accountId}::uuid AND key = ${key}
      AND created_at <= now() - make_interval(secs => ${RECORD_LIFETIME_MS / 1000})`;
}

/**
 * Deletes up to `limit` records that have outlived their time, and returns how many. Of several at once each record
 * goes to one, and none waits for another.
 */
export async function deleteExpiredRecords(db: Queryable, limit: number): Promise<number> {
  return db.$executeRaw`
    DELETE FROM idempotency_record
    WHERE ctid = ANY (ARRAY (
      SELECT ctid FROM idempotency_record
      WHERE created_at <= now() - make_interval(secs => ${RECORD_LIFETIME_MS / 1000})
      ORDER BY created_at LIMIT ${limit}
      FOR UPDATE SKIP LOCKED
    ))`;
}
