import type { Database } from './client.ts';

/** What an endpoint's secrets are stored as, encrypted. */
export interface StoredSecrets {
  id: string;
  sealedSecret: Uint8Array<ArrayBuffer>;
  previousSealedSecret: Uint8Array<ArrayBuffer> | null;
}

/**
 * Deletes previous secrets whose overlap is over: nothing is signed with them, and they would keep an old key in use. One
 * whose endpoint is locked is left to the next time.
 */
export async function deleteExpiredSecrets(db: Database): Promise<void> {
  await db.$executeRaw`
    UPDATE webhook_endpoint SET previous_sealed_secret = NULL, previous_secret_expires_at = NULL
    WHERE id IN (
      SELECT id FROM webhook_endpoint WHERE previous_secret_expires_at <= now()
      FOR NO KEY UPDATE SKIP LOCKED
    ) AND previous_secret_expires_at <= now()`;
}

/** Endpoints that are not deleted and have a secret that does not begin with `prefix`, in the order of their ids. */
export function listSecretsWithout(
  db: Database,
  prefix: Uint8Array<ArrayBuffer>,
  { after, limit }: { after: string; limit: number },
): Promise<StoredSecrets[]> {
  return db.$queryRaw<StoredSecrets[]>`
    SELECT id, sealed_secret AS "sealedSecret", previous_sealed_secret AS "previousSealedSecret"
    FROM webhook_endpoint
    WHERE deleted_at IS NULL AND id > ${after}::uuid
      AND (substring(sealed_secret FOR ${prefix.length}::int) <> ${prefix}
        OR substring(previous_sealed_secret FOR ${prefix.length}::int) <> ${prefix})
    ORDER BY id
    LIMIT ${limit}`;
}

/**
 * Replaces an endpoint's secrets as they are stored, unless they are not `from` any more: then nothing is changed, and it
 * is false. To its owner nothing has happened, and its version stays.
 */
export async function replaceSecrets(
  db: Database,
  from: StoredSecrets,
  to: Omit<StoredSecrets, 'id'>,
): Promise<boolean> {
  const replaced = await db.$executeRaw`
    UPDATE webhook_endpoint
    SET sealed_secret = ${to.sealedSecret}, previous_sealed_secret = ${to.previousSealedSecret}::bytea
    WHERE id = ${from.id}::uuid AND sealed_secret = ${from.sealedSecret}
      AND previous_sealed_secret IS NOT DISTINCT FROM ${from.previousSealedSecret}::bytea`;
  return replaced === 1;
}
