import type { Queryable } from './client.ts';
import type { ApiKey, User } from './generated/client.ts';
import { type Page, type PageRequest, pageArguments, toPage } from './page.ts';

export type { ApiKey } from './generated/client.ts';
export type NewApiKey = Omit<
  ApiKey,
  'previousKeyHash' | 'previousExpiresAt' | 'lastUsedAt' | 'revokedAt' | 'createdAt'
>;

export async function createApiKey(db: Queryable, key: NewApiKey): Promise<ApiKey> {
  return db.apiKey.create({ data: key });
}

/** The key of this hash with its owner, unless it is revoked or past its time, or its owner is deactivated. */
export async function findLiveApiKey(
  db: Queryable,
  keyHash: Uint8Array<ArrayBuffer>,
): Promise<(ApiKey & { user: User }) | null> {
  return db.apiKey.findFirst({
    where: {
      keyHash,
      revokedAt: null,
      user: { deactivatedAt: null },
      OR: [{ expiresAt: null }, { expiresAt: { gt: new Date() } }],
    },
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
