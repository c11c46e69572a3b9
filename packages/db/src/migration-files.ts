import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { MigrationList } from '@prisma/schema-engine-wasm';

const prismaDirectory = join(import.meta.dirname, '../prisma');
export const migrationsDirectory = join(prismaDirectory, 'migrations');
export const schemaDirectory = join(prismaDirectory, 'schema');

/** The schema as the newest migration leaves it: what the next migration starts from. */
export const snapshotFile = join(migrationsDirectory, 'schema.snapshot');

/** The schema files, by path, in a stable order. */
export async function readSchema(): Promise<[path: string, text: string][]> {
  const names = (await readdir(schemaDirectory)).filter((name) => name.endsWith('.prisma')).sort();
  return Promise.all(
    names.map(
      async (name): Promise<[string, string]> => [
        name,
        await readFile(join(schemaDirectory, name), 'utf8'),
      ],
    ),
  );
}

/** The migrations on disk, in the form that the schema engine takes. */
export async function readMigrations(): Promise<MigrationList> {
  const entries = await readdir(migrationsDirectory, { withFileTypes: true });
  const names = entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
  return {
    baseDir: migrationsDirectory,
    lockfile: {
      path: 'migration_lock.toml',
      content: await readFile(join(migrationsDirectory, 'migration_lock.toml'), 'utf8'),
    },
    shadowDbInitScript: '',
    migrationDirectories: await Promise.all(
      names.sort().map(async (name) => ({
        path: name,
        migrationFile: {
          path: 'migration.sql',
          content: {
            tag: 'ok' as const,
            value: await readFile(join(migrationsDirectory, name, 'migration.sql'), 'utf8'),
          },
        },
      })),
    ),
  };
}
