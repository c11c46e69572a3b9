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
  const rows = await db.event.findMany({
    where: { accountId, seq: { gt: after }, ...(types && { type: { in: [...types] } }) },
    orderBy: { seq: 'asc' },
    take: limit + 1,
    select: READ,
  });
  const data = rows.slice(0, limit).flatMap(toPublished);
  const hasMore = rows.length > limit;
  return { data, hasMore, nextCursor: hasMore ? String(data.at(-1)?.seq) : null };
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
