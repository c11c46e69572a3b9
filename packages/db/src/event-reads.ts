import type { Queryable } from './client.ts';
import type { Prisma } from './generated/client.ts';
import type { Page } from './page.ts';

/** An event that has its place in the log. */
export interface PublishedEvent {
  id: string;
  seq: number;
  type: string;
  /** As it was written, its members in their order. */
  data: Prisma.JsonValue;
  requestId: string | null;
  createdAt: Date;
}

const READ = {
  id: true,
  seq: true,
  type: true,
  data: true,
  requestId: true,
  createdAt: true,
} as const;

export interface EventPageRequest {
  /** Only those behind this place in the log. */
  after: number;
  /** Only those of these types; all unless given. */
  types?: readonly string[] | undefined;
  limit: number;
}

/**
 * What happened to an account and has its place in the log, oldest first. Whoever asks again after the last that he has
 * seen misses none: none is ever given a place before it.
 */
export async function listEvents(
  db: Queryable,
  accountId: string,
  { after, types, limit }: EventPageRequest,
): Promise<Page<PublishedEvent>> {
  const range = { accountId, seq: { gt: after } };
  const rows = await db.event.findMany({
    where: types === undefined ? range : await firstOfTypes(db, accountId, types, after, limit + 1),
    orderBy: { seq: 'asc' },
    take: limit + 1,
    select: READ,
  });
  const data = rows.slice(0, limit).flatMap(toPublished);
  const hasMore = rows.length > limit;
  return { data, hasMore, nextCursor: hasMore ? String(data.at(-1)?.seq) : null };
}

/**
 * The first of these types behind `after`. Those of each are looked up by themselves: whoever asks for types that his
 * account has none of, and asks again and again, would otherwise have all its events read each time.
 */
async function firstOfTypes(
  db: Queryable,
  accountId: string,
  types: readonly string[],
  after: number,
  limit: number,
): Promise<Prisma.EventWhereInput> {
  const first = await db.$queryRaw<{ id: string }[]>`
    SELECT of_type.id FROM unnest(${[...types]}::text[]) AS asked (type)
    CROSS JOIN LATERAL (
      SELECT id, seq FROM event
      WHERE account_id = ${accountId}::uuid AND type = asked.type AND seq > ${after}::bigint ORDER BY seq LIMIT ${limit}
    ) AS of_type ORDER BY of_type.seq LIMIT ${limit}`;
  return { id: { in: first.map(({ id }) => id) } };
}

/** Null when there is no such event of the account, or it has no place in the log yet. */
export async function findEvent(
  db: Queryable,
  accountId: string,
  id: string,
): Promise<PublishedEvent | null> {
  const row = await db.event.findFirst({
    where: { id, accountId, seq: { not: null } },
    select: READ,
  });
  return row && (toPublished(row)[0] ?? null);
}

function toPublished({
  seq,
  ...event
}: Omit<PublishedEvent, 'seq'> & { seq: bigint | null }): PublishedEvent[] {
  return seq === null ? [] : [{ ...event, seq: Number(seq) }];
}
