import type { Queryable, Transaction } from './client.ts';
import type { ApiKey, Prisma, User } from './generated/client.ts';
import { type Page, type PageRequest, pageArguments, toPage } from './page.ts';

export type { ApiKey } from './generated/client.ts';
export type NewApiKey = Omit<
  ApiKey,
  'previousKeyHash' | 'previousExpiresAt' | 'lastUsedAt' | 'revokedAt' | 'createdAt'
>;

export async function createApiKey(db: Queryable, key: NewApiKey): Promise<ApiKey> {
  return db.apiKey.create({ data: key });
}

/** Not revoked, and not past its time. */
function isLive(): Prisma.ApiKeyWhereInput {
  return { revokedAt: null, OR: [{ expiresAt: null }, { expiresAt: { gt: new Date() } }] };
}

/**
 * The live key that has one of these hashes, or that had it until a rotation whose overlap is not over, with its
 * owner. Null also when he is deactivated.
 */
export async function findLiveApiKey(
  db: Queryable,
  hashes: Uint8Array<ArrayBuffer>[],
): Promise<(ApiKey & { user: User }) | null> {
  const bySecret: Prisma.ApiKeyWhereInput[] = [
    { keyHash: { in: hashes } },
    { previousKeyHash: { in: hashes }, previousExpiresAt: { gt: new Date() } },
  ];
  return db.apiKey.findFirst({
    where: { AND: [isLive(), { OR: bySecret }], user: { deactivatedAt: null } },
    include: { user: true },
  });
}

/** A user's keys that are not revoked. */
export async function listApiKeys(
  db: Queryable,
  userId: string,
  request: PageRequest,
): Promise<Page<ApiKey>> {
  const { where, ...page } = pageArguments(request);
  return toPage(
    await db.apiKey.findMany({ ...page, where: { ...where, userId, revokedAt: null } }),
    request,
  );
}

/** False when the user has no such live key. */
export async function revokeApiKey(db: Queryable, userId: string, id: string): Promise<boolean> {
  const { count } = await db.apiKey.updateMany({
    where: { id, userId, revokedAt: null },
    data: { revokedAt: new Date() },
  });
  return count === 1;
}

/** Revokes all keys of a user. Returns how many. */
export async function revokeApiKeys(tx: Transaction, userId: string): Promise<number> {
  const { count } = await tx.apiKey.updateMany({
    where: { userId, revokedAt: null },
    data: { revokedAt: new Date() },
  });
  return count;
}

export interface NewSecret extends Pick<ApiKey, 'keyHash' | 'prefix' | 'lastFour'> {
  /** For so long does the secret that it replaces work as well; 0 ends it at once. */
  overlapSeconds: number;
}

/**
 * Gives a user's live key another secret. One that an earlier rotation left working ends. Null when he has no such
 * key.
 */
export async function rotateApiKey(
  tx: Transaction,
  userId: string,
  id: string,
  { keyHash, prefix, lastFour, overlapSeconds }: NewSecret,
): Promise<ApiKey | null> {
  // One statement: of two rotations at once the second takes the secret of the first for the one before.
  const rotated = await tx.$executeRaw`
    UPDATE api_key SET
      previous_key_hash = CASE WHEN ${overlapSeconds} > 0 THEN key_hash END,
      previous_expires_at = CASE WHEN ${overlapSeconds} > 0
        THEN LEAST(now() + make_interval(secs => ${overlapSeconds}), expires_at) END,
      key_hash = ${keyHash}, prefix = ${prefix}, last_four = ${lastFour}
    WHERE id = ${id}::uuid AND user_id = ${userId}::uuid
      AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > now())`;
  return rotated === 0 ? null : tx.apiKey.findUniqueOrThrow({ where: { id } });
}

/** Writes down when keys were used last, where that moves it by a minute or more. */
export async function recordApiKeyUses(
  db: Queryable,
  uses: ReadonlyMap<string, Date>,
): Promise<void> {
  const times = [...uses.values()].map((at) => at.toISOString());
  await db.$executeRaw`
    UPDATE api_key SET last_used_at = used.at
    FROM unnest(${[...uses.keys()]}::uuid[], ${times}::timestamptz[]) AS used (id, at)
    WHERE api_key.id = used.id
      AND (last_used_at IS NULL OR last_used_at <= used.at - interval '1 minute')`;
}
