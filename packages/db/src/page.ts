/** Where a page of a list starts and how long it is. `cursor` is the id of the last row of the page before. */
export interface PageRequest {
  limit: number;
  cursor?: string | undefined;
}

export interface Page<T> {
  data: T[];
  hasMore: boolean;
  nextCursor: string | null;
}

/**
 * Prisma arguments for a page, newest first: ids are UUIDv7, so their order is the order of creation, and a row
 * inserted meanwhile moves no other. One row more than asked for tells whether there is a next page.
 */
export function pageArguments({ limit, cursor }: PageRequest) {
  return {
    take: limit + 1,
    orderBy: { id: 'desc' as const },
    where: cursor === undefined ? {} : { id: { lt: cursor } },
  };
}

/** The page in rows that were read with `pageArguments`. */
export function toPage<T extends { id: string }>(rows: T[], { limit }: PageRequest): Page<T> {
  const data = rows.slice(0, limit);
  const hasMore = rows.length > limit;
  return { data, hasMore, nextCursor: hasMore ? (data.at(-1)?.id ?? null) : null };
}
