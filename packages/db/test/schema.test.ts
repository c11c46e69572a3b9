import { readFile } from 'node:fs/promises';
import { createDatabaseIfMissing } from '@gatehouse/local/postgres-admin';
import { testDatabase } from '@gatehouse/testing/database';
import pg from 'pg';
import { expect, inject, onTestFinished, test } from 'vitest';
import { migrate } from '../src/migrate.ts';
import { readMigrations, readSchema, snapshotFile } from '../src/migration-files.ts';
import { withSchemaEngine } from '../src/schema-engine.ts';

/** What Prisma's schema can say of a database, as text: columns, keys, indexes, enums. Sorted, so that order says nothing. */
async function catalogue(url: string): Promise<string[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const { rows } = await client.query<{ line: string }>(`
      SELECT format('%s.%s %s %s %s', table_name, column_name,
        COALESCE(NULLIF(format('%s(%s,%s)', udt_name, numeric_precision, numeric_scale), udt_name || '(,)'), udt_name)
          || COALESCE('(' || character_maximum_length || ')', '') || COALESCE('(' || datetime_precision || ')', ''),
        is_nullable, COALESCE(column_default, '-')) AS line
      FROM information_schema.columns WHERE table_schema = 'public' AND table_name <> '_prisma_migrations'
      UNION ALL
      SELECT indexdef FROM pg_indexes
      WHERE schemaname = 'public' AND tablename <> '_prisma_migrations' AND indexdef NOT LIKE '% WHERE %'
      UNION ALL
      SELECT format('%s %s %s', conrelid::regclass, conname, pg_get_constraintdef(oid)) FROM pg_constraint
      WHERE connamespace = 'public'::regnamespace AND contype IN ('p', 'f', 'u')
        AND conrelid::regclass::text <> '_prisma_migrations'
      UNION ALL
      SELECT format('%s %s', typname, string_agg(enumlabel, ',' ORDER BY enumsortorder))
      FROM pg_enum JOIN pg_type ON pg_type.oid = enumtypid GROUP BY typname`);
    return rows.map(({ line }) => line).sort();
  } finally {
    await client.end();
  }
}

async function emptyDatabase(name: string): Promise<string> {
  const server = inject('postgresUrl');
  await createDatabaseIfMissing(server, name);
  const url = new URL(server);
  url.pathname = name;
  return url.href;
}

test('the migrations build what the schema says', async () => {
  const { url, drop } = await testDatabase();
  onTestFinished(drop);
  const fromSchema = await emptyDatabase('from_schema');
  const schema = await readSchema();
  const script = await withSchemaEngine(fromSchema, schema, async (engine) => {
    const { stdout } = await engine.diff({
      from: { tag: 'empty' },
      to: { tag: 'schemaDatamodel', files: schema.map(([path, content]) => ({ path, content })) },
      script: true,
      exitCode: null,
      filters: { externalTables: [], externalEnums: [] },
    });
    return stdout ?? '';
  });
  const client = new pg.Client({ connectionString: fromSchema });
  await client.connect();
  await client.query(script);
  await client.end();
  const expected = await catalogue(fromSchema);
  expect(expected.length).toBeGreaterThan(100);
  expect(await catalogue(url)).toEqual(expected);
});

test('the newest migration was made from the schema as it is', async () => {
  const text = (await readSchema()).map(([, part]) => part).join('\n');
  expect(await readFile(snapshotFile, 'utf8')).toBe(text);
});

test('migrating twice, and three times at once, applies each migration once', async () => {
  const url = await emptyDatabase('migrated');
  const names = (await readMigrations()).migrationDirectories.map(({ path }) => path);
  const applied = await Promise.all([migrate(url), migrate(url), migrate(url)]);
  expect(applied.flat().sort()).toEqual(names);
  expect(await migrate(url)).toEqual([]);
});

test('a session that is idle in its transaction is ended, so that a frozen process blocks nobody for long', async () => {
  const url = await emptyDatabase('limited');
  await migrate(url);
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  const { rows } = await client.query('SHOW idle_in_transaction_session_timeout');
  await client.end();
  expect(rows).toEqual([{ idle_in_transaction_session_timeout: '10s' }]);
});
