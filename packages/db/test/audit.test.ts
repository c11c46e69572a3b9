import { readFile } from 'node:fs/promises';
import { testDatabase } from '@gatehouse/testing/database';
import { expect, onTestFinished, test } from 'vitest';
import { recordAct } from '../src/audit.ts';

const NOBODY = {
  actorId: null,
  credential: 'none',
  credentialId: null,
  address: '127.0.0.1',
  userAgent: null,
  requestId: null,
} as const;

async function logWithOneEntry() {
  const { db, drop } = await testDatabase();
  onTestFinished(drop);
  await recordAct(db, NOBODY, {
    action: 'auth.login_failed',
    subjectType: 'user',
    subjectId: null,
  });
  return db;
}

test.each([
  ['an update', `UPDATE audit_entry SET action = 'nothing'`],
  ['an update of no row', `UPDATE audit_entry SET action = 'nothing' WHERE false`],
  ['a delete', 'DELETE FROM audit_entry'],
  [
    'an upsert',
    `INSERT INTO audit_entry SELECT * FROM audit_entry ON CONFLICT (id) DO UPDATE SET action = 'nothing'`,
  ],
  ['a truncate', 'TRUNCATE audit_entry'],
  ['a truncate that cascades', 'TRUNCATE audit_entry CASCADE'],
])('the database refuses %s of the audit log', async (_, statement) => {
  const db = await logWithOneEntry();
  const before = await db.auditEntry.findMany();
  expect(before).toHaveLength(1);
  await expect(db.$executeRawUnsafe(statement)).rejects.toThrow('the audit log is append-only');
  expect(await db.auditEntry.findMany()).toEqual(before);
});

test('the owner of the table prunes it as the docs say, and then it is as it was', async () => {
  const db = await logWithOneEntry();
  const docs = await readFile(new URL('../../../docs/operating.md', import.meta.url), 'utf8');
  const [, statements = ''] = /```sql\nBEGIN;\n([^`]+)COMMIT;/.exec(docs) ?? [];
  const prune = (sql: string) =>
    db.$transaction(async (tx) => {
      for (const statement of sql.trim().split(';\n')) await tx.$executeRawUnsafe(statement);
    });
  await prune(statements);
  expect(await db.auditEntry.count()).toBe(1);
  await prune(statements.replace("interval '2 years'", "interval '0'"));
  expect(await db.auditEntry.count()).toBe(0);
  await expect(db.auditEntry.deleteMany()).rejects.toThrow('append-only');
});
