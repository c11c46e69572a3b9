import pg from 'pg';
import { readMigrations, readSchema } from './migration-files.ts';
import { withSchemaEngine } from './schema-engine.ts';

/** Any number will do, as long as every migrator of this database uses the same. */
const MIGRATION_LOCK = 4_285_013;

/**
 * A process that is frozen in the middle of a transaction, or whose network is gone, keeps its locks, and whoever
 * shares an account with it waits. The server ends such a session; what it had not committed has not happened. No
 * later than the other side gives up an answer (`silenceMs`): or its next attempt would wait for these locks.
 *
 * A default of the database rather than of each connection: a pooler in front would not pass it on. Not a
 * migration: it names the database, and the schema engine cuts a script at every semicolon.
 */
async function limitIdleTransactions(client: pg.Client): Promise<void> {
  const { rows } = await client.query<{ name: string }>('SELECT current_database() AS name');
  for (const { name } of rows) {
    await client.query(
      `ALTER DATABASE ${pg.escapeIdentifier(name)} SET idle_in_transaction_session_timeout = '10s'`,
    );
  }
}

/**
 * Applies the migrations that the database has not had yet, and returns their names in order.
 *
 * Two of them at once take turns, on an advisory lock. Needs a direct connection (not a transaction-pooled one).
 *
 * @throws when a migration fails; the ones before it stay applied.
 */
export async function migrate(databaseUrl: string): Promise<string[]> {
  const lock = new pg.Client({ connectionString: databaseUrl });
  await lock.connect();
  try {
    await lock.query('SELECT pg_advisory_lock($1)', [MIGRATION_LOCK]);
    const migrationsList = await readMigrations();
    return await withSchemaEngine(databaseUrl, await readSchema(), async (engine) => {
      const { appliedMigrationNames } = await engine.applyMigrations({
        migrationsList,
        filters: { externalTables: [], externalEnums: [] },
      });
      await limitIdleTransactions(lock);
      return appliedMigrationNames;
    });
  } finally {
    await lock.end();
  }
}
