import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '@gatehouse/local/ports';
import { startPostgres } from '@gatehouse/local/postgres';
import type { DiffTarget } from '@prisma/schema-engine-wasm';
import { migrationsDirectory, readSchema, snapshotFile } from '../src/migration-files.ts';
import { withSchemaEngine } from '../src/schema-engine.ts';

/**
 * `npm run db:migration -- name`: writes the migration from the schema as the newest migration left it to the
 * schema on disk. Review it, and add by hand what Prisma has no words for (CHECK constraints, partial indexes).
 */
const name = process.argv[2];
if (name === undefined || !/^[a-z0-9_]+$/.test(name)) {
  console.error('usage: npm run db:migration -- name_in_snake_case');
  process.exit(1);
}

const schema = await readSchema();
const text = schema.map(([, part]) => part).join('\n');
const from: DiffTarget = existsSync(snapshotFile)
  ? {
      tag: 'schemaDatamodel',
      files: [{ path: 'schema.prisma', content: await readFile(snapshotFile, 'utf8') }],
    }
  : { tag: 'empty' };
const to: DiffTarget = {
  tag: 'schemaDatamodel',
  files: [{ path: 'schema.prisma', content: text }],
};
const stdout = await withThrowAwayPostgres((url) =>
  withSchemaEngine(url, schema, async (engine) => {
    const result = await engine.diff({
      from,
      to,
      script: true,
      exitCode: null,
      filters: { externalTables: [], externalEnums: [] },
    });
    return result.stdout;
  }),
);
if (stdout === null || stdout.includes('This is an empty migration')) {
  console.log('the schema has not changed since the newest migration');
  process.exit(0);
}

const stamp = new Date().toISOString().replace(/\D/g, '').slice(0, 14);
const directory = join(migrationsDirectory, `${stamp}_${name}`);
await mkdir(directory, { recursive: true });
await writeFile(join(directory, 'migration.sql'), stdout);
await writeFile(snapshotFile, text);
console.log(`wrote prisma/migrations/${stamp}_${name}/migration.sql`);

/** A diff of two texts reads no database, but the engine wants to be connected to one. */
async function withThrowAwayPostgres<T>(use: (url: string) => Promise<T>): Promise<T> {
  const dir = await mkdtemp(join(tmpdir(), 'gatehouse-migration-'));
  // The user that Postgres runs as has to pass through.
  await chmod(dir, 0o755);
  const postgres = await startPostgres({
    dir: join(dir, 'postgres'),
    port: await freePort(),
    password: randomBytes(18).toString('base64url'),
    logFile: join(dir, 'postgres.log'),
    durable: false,
  });
  try {
    return await use(postgres.url('gatehouse'));
  } finally {
    await postgres.stop();
    await rm(dir, { recursive: true });
  }
}
