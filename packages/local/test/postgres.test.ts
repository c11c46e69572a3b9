import { once } from 'node:events';
import { join } from 'node:path';
import pg from 'pg';
import { expect, onTestFinished, test } from 'vitest';
import { freePort } from '../src/ports.ts';
import { type PostgresOptions, startPostgres } from '../src/postgres.ts';
import { temporaryDir } from './temporary.ts';

test('comes back on the same port with its data after SIGKILL, a back end at work', async () => {
  const options = await postgresOptions();
  const first = await startPostgres(options);
  const url = first.url('gatehouse');
  await query(url, "CREATE TABLE note AS SELECT 'kept' AS text");
  // A back end that is busy does not notice that its postmaster is gone, and holds the shared memory.
  const busy = query(url, 'SELECT sum(n) FROM generate_series(1, 1e12) AS n');
  const cut = expect(busy).rejects.toThrow();
  const working =
    "SELECT 1 FROM pg_stat_activity WHERE state = 'active' AND query LIKE 'SELECT sum%'";
  await expect.poll(() => query(url, working)).toHaveLength(1);

  first.process.kill('SIGKILL');
  await once(first.process, 'exit');
  const second = await startPostgres(options);
  onTestFinished(() => second.stop());

  expect(second.url('gatehouse')).toBe(url);
  expect(second.pid).not.toBe(first.pid);
  expect(await query(url, 'SELECT text FROM note')).toEqual([{ text: 'kept' }]);
  await cut;
});

test('keeps its data over an orderly stop and loses it when begun afresh', async () => {
  const options = await postgresOptions();
  const first = await startPostgres(options);
  await query(first.url('gatehouse'), 'CREATE TABLE note ()');
  await first.stop();

  const second = await startPostgres(options);
  expect(await query(second.url('gatehouse'), 'SELECT * FROM note')).toEqual([]);
  await second.stop();

  const third = await startPostgres({ ...options, fresh: true });
  onTestFinished(() => third.stop());
  await expect(query(third.url('gatehouse'), 'SELECT * FROM note')).rejects.toThrow('note');
});

test('takes nobody without the password', async () => {
  const options = await postgresOptions();
  const postgres = await startPostgres(options);
  onTestFinished(() => postgres.stop());
  const url = postgres.url('gatehouse').replace(encodeURIComponent(options.password), 'guessed');
  await expect(query(url, 'SELECT 1')).rejects.toThrow('password authentication failed');
});

test('says at once that the data belongs to another password', async () => {
  const options = await postgresOptions();
  await (await startPostgres(options)).stop();
  const starting = startPostgres({ ...options, password: 'another' });
  await expect(starting).rejects.toThrow('password authentication failed');
});

async function postgresOptions(): Promise<PostgresOptions> {
  const dir = temporaryDir();
  return {
    dir: join(dir, 'postgres'),
    port: await freePort(),
    password: 'p@ss/word',
    logFile: join(dir, 'postgres.log'),
  };
}

async function query(url: string, text: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => undefined);
  await client.connect();
  try {
    return (await client.query(text)).rows;
  } finally {
    await client.end();
  }
}
