import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { migrate } from '@gatehouse/db/migrate';
import type { Guard } from '@gatehouse/local/guard';
import { freePort } from '@gatehouse/local/ports';
import { type Postgres, startPostgres } from '@gatehouse/local/postgres';
import { sealTemplate } from '@gatehouse/local/postgres-admin';

/** The database that {@link startTestPostgres} migrates and every test's database is copied from. */
export const TEMPLATE = 'gatehouse_template';

/** Starts a Postgres that forgets everything with its directory, and migrates the template. */
export async function startTestPostgres(dir: string, guard?: Guard): Promise<Postgres> {
  const postgres = await startPostgres({
    dir: join(dir, 'postgres'),
    port: await freePort(),
    password: randomBytes(18).toString('base64url'),
    logFile: join(dir, 'postgres.log'),
    database: TEMPLATE,
    durable: false,
    guard,
  });
  await migrate(postgres.url(TEMPLATE));
  await sealTemplate(postgres.url('postgres'), TEMPLATE);
  return postgres;
}
