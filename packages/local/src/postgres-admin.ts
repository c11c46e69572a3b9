import pg from 'pg';

const LOST_RACE = new Set(['42P04', '23505']);

/** Whether the server takes a connection and answers. Wrong credentials are thrown: waiting does not mend them. */
export async function answers(databaseUrl: string): Promise<boolean> {
  try {
    await query(databaseUrl, 'SELECT 1');
    return true;
  } catch (error) {
    if (error instanceof pg.DatabaseError && error.code?.startsWith('28')) throw error;
    return false;
  }
}

/** Creates a database unless it exists; `template` names the one to copy. */
export async function createDatabaseIfMissing(
  adminUrl: string,
  name: string,
  template?: string,
): Promise<void> {
  const found = await query(adminUrl, 'SELECT 1 FROM pg_database WHERE datname = $1', [name]);
  if (found > 0) return;
  const copy = template === undefined ? '' : ` TEMPLATE ${pg.escapeIdentifier(template)}`;
  try {
    await query(adminUrl, `CREATE DATABASE ${pg.escapeIdentifier(name)}${copy}`);
  } catch (error) {
    if (!(error instanceof pg.DatabaseError && LOST_RACE.has(error.code ?? ''))) throw error;
  }
}

/** Refuses connections to a database from now on, so that copying it never waits for one. */
export async function sealTemplate(adminUrl: string, name: string): Promise<void> {
  await query(
    adminUrl,
    `ALTER DATABASE ${pg.escapeIdentifier(name)} ALLOW_CONNECTIONS false IS_TEMPLATE true`,
  );
}

/** Drops a database, together with the connections to it. */
export async function dropDatabase(adminUrl: string, name: string): Promise<void> {
  await query(adminUrl, `DROP DATABASE IF EXISTS ${pg.escapeIdentifier(name)} WITH (FORCE)`);
}

/** Runs one statement on a connection of its own and gives the number of rows. */
async function query(databaseUrl: string, text: string, values: string[] = []): Promise<number> {
  const client = new pg.Client({ connectionString: databaseUrl, connectionTimeoutMillis: 5000 });
  // The server may be shut down under an idle connection; what runs a query hears of it by its rejection.
  client.on('error', () => undefined);
  try {
    await client.connect();
    return (await client.query(text, values)).rowCount ?? 0;
  } finally {
    await client.end();
  }
}
