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
  /** What a retry goes on with, as long as there is no answer; null once there is one. */
  recoveryPoint: string | null;
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
      recovery_point AS "recoveryPoint",
      ${RECORD_LIFETIME_MS}::int - floor(EXTRACT(EPOCH FROM now() - created_at) * 1000)::int AS "lifetimeMs"
    FROM idempotency_record
    WHERE account_id = ${accountId}::uuid AND key = ${key}
      AND created_at > now() - make_interval(secs => ${RECORD_LIFETIME_MS / 1000})`;
  return record ?? null;
}

class KeyTaken extends Error {
  override readonly name = 'KeyTaken';
}

/**
 * Takes a key for a mutation that needs several transactions, in the first of them, and returns what it goes on with:
 * what is given, or what an earlier attempt was given. Of several at once the others wait for the first.
 *
 * `insertRecord` in the last of them completes it.
 *
 * @throws when the key has its answer or belongs to another request, which `isKeyTaken` tells
 */
export async function beginRecord(
  tx: Transaction,
  { accountId, key, fingerprint }: Pick<IdempotencyRecord, 'accountId' | 'key' | 'fingerprint'>,
  recoveryPoint: string,
): Promise<string> {
  const inserted = await tx.$executeRaw`
    INSERT INTO idempotency_record (account_id, key, fingerprint, status, headers, body, recovery_point)
    VALUES (${accountId}::uuid, ${key}, ${fingerprint}, 0, '{}', '', ${recoveryPoint}::uuid)
    ON CONFLICT DO NOTHING`;
  if (inserted === 1) return recoveryPoint;
  const record = await findRecord(tx, accountId, key);
  if (record?.recoveryPoint && Buffer.from(fingerprint).equals(record.fingerprint)) {
    return record.recoveryPoint;
  }
  throw new KeyTaken(`the key ${key} is taken`);
}

/**
 * Inserts the record in the transaction of its effect, or completes the one that `beginRecord` began for the same
 * request.
 *
 * @throws when the key has another record, which `isKeyTaken` tells: then the effect must not happen again
 */
export async function insertRecord(tx: Transaction, record: IdempotencyRecord): Promise<void> {
  const written = await tx.$executeRaw`
    INSERT INTO idempotency_record AS known (account_id, key, fingerprint, status, headers, body)
    VALUES (${record.accountId}::uuid, ${record.key}, ${record.fingerprint}, ${record.status},
      ${JSON.stringify(record.headers)}::jsonb, ${record.body})
    ON CONFLICT (account_id, key) DO UPDATE SET status = excluded.status, headers = excluded.headers,
      body = excluded.body, recovery_point = NULL, created_at = now()
    WHERE known.recovery_point IS NOT NULL AND known.fingerprint = excluded.fingerprint`;
  if (written === 0) throw new KeyTaken(`the key ${record.key} is taken`);
}

/** Whether a transaction failed because an idempotency key already has its record. */
export function isKeyTaken(error: unknown): boolean {
  // By its name: a route may have another instance of this module.
  const isTaken = error instanceof Error && error.name === 'KeyTaken';
  return isTaken || violates(error, 'idempotency_record_pkey');
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
