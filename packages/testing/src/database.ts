import { randomUUID } from 'node:crypto';
import { createDatabase, type Database } from '@gatehouse/db/client';
import { createDatabaseIfMissing, dropDatabase } from '@gatehouse/local/postgres-admin';
import { inject } from 'vitest';
import { TEMPLATE } from './postgres.ts';
import './provided.ts';

export interface TestDatabase {
  url: string;
  db: Database;
  /** Closes `db` and deletes the database, whoever may still be connected to it. */
  drop(): Promise<void>;
}

/** A migrated, empty database for one test, on the server that `global-setup.ts` provides. */
export async function testDatabase(): Promise<TestDatabase> {
  const server = inject('postgresUrl');
  const name = `test_${randomUUID().replaceAll('-', '')}`;
  await createDatabaseIfMissing(server, name, TEMPLATE);
  const url = URL.parse(server);
  if (!url) throw new TypeError('the provided postgresUrl is not a URL');
  url.pathname = name;
  const db = createDatabase(url.href);
  return {
    url: url.href,
    db,
    async drop() {
      await db.$disconnect();
      await dropDatabase(server, name);
    },
  };
}
