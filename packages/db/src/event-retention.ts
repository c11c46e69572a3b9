import { Prisma } from './generated/client.ts';

/**
 * For so long events are kept, a delivery may be pending, and a replay reaches back: since each holds up the next, what
 * is in the log for twice as long is owed to nobody.
 */
const KEPT_DAYS = 30;

/** What is older is old: by the database's clock. */
export const KEPT_SINCE = Prisma.sql`now() - make_interval(days => ${KEPT_DAYS})`;
