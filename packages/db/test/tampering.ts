import { testDatabase } from '@gatehouse/testing/database';
import { expect, onTestFinished } from 'vitest';
import type { Database } from '../src/client.ts';
import { checkInvariants } from '../src/invariants.ts';

/** The names of the invariants that do not hold. */
export async function broken(db: Database): Promise<string[]> {
  return (await checkInvariants(db))
    .filter(({ violations }) => violations.length > 0)
    .map(({ name }) => name);
}

const DROP_CHECKS = `
  DO $$ DECLARE c record; BEGIN
    FOR c IN SELECT conrelid::regclass AS t, conname FROM pg_constraint
      WHERE contype = 'c' AND connamespace = 'public'::regnamespace
    LOOP EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I', c.t, c.conname); END LOOP;
  END $$`;

/** Runs statements, separated by `; `, some of which CHECK constraints would refuse: those are dropped first. */
export async function tamper(db: Database, statements: string): Promise<void> {
  await db.$executeRawUnsafe(DROP_CHECKS);
  for (const statement of statements.split('; ')) await db.$executeRawUnsafe(statement);
}

/** Sees that a database in order is found to be, and, once it was tampered with, which invariants do not hold. */
export async function expectNoticed(
  fill: (db: Database) => Promise<unknown>,
  tampering: string,
  expected: readonly string[],
): Promise<void> {
  const { db, drop } = await testDatabase();
  onTestFinished(drop);
  await fill(db);
  expect(await broken(db)).toEqual([]);
  await tamper(db, tampering);
  expect(await broken(db)).toEqual(expected);
}
