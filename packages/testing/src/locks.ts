import type { Database } from '@gatehouse/db/client';
import { until } from './condition.ts';

/** Resolves once somebody waits for a lock in this database, or so many do: so that a test meets the race it is about. */
export async function lockWaiter(db: Database, count = 1): Promise<void> {
  await until(
    async () => {
      const waiters = await db.$queryRaw<unknown[]>`
        SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`;
      return waiters.length >= count;
    },
    { what: 'somebody to wait for a lock' },
  );
}
