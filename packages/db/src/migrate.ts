import pg from 'pg';
import { readMigrations, readSchema } from './migration-files.ts';
import { withSchemaEngine } from './schema-engine.ts';

/** Any number will do, as long as every migrator of this database uses the same. */
const MIGRATION_LOCK = 4_285_013;

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
      return appliedMigrationNames;
    });
  } finally {
    await lock.end();
  }
}
