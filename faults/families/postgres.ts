import { createDatabase } from '@gatehouse/db/client';
import { until } from '@gatehouse/testing/condition';
import type { Fault } from '../fault.ts';
import { send } from '../signals.ts';

const BACK_MS = 30_000;

/** What befalls Postgres, which must keep what it has committed. */
export const POSTGRES_FAULTS = {
  'kill-postgres': {
    describe: 'kill -9 Postgres',
    async inject(stack) {
      const { postgresPid } = stack.now();
      if (postgresPid === null) throw new TypeError('the stack embeds no Postgres');
      send(postgresPid, 'SIGKILL');
    },
  },
  'cut-postgres': {
    describe: 'pg_terminate_backend on every connection',
    async inject(stack) {
      const db = createDatabase(stack.now().databaseUrl, { connections: 1 });
      try {
        await until(
          () => db.$queryRaw`
            SELECT pg_terminate_backend(pid) FROM pg_stat_activity
            WHERE datname = current_database() AND pid <> pg_backend_pid()`,
          { what: 'Postgres to be there', timeoutMs: BACK_MS },
        );
      } finally {
        await db.$disconnect();
      }
    },
  },
} as const satisfies Record<string, Fault>;
