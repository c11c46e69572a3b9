import { readFile } from 'node:fs/promises';
import type { Database } from '@gatehouse/db/client';
import { listSecretsWithout, replaceSecrets } from '@gatehouse/db/webhook-secrets';
import { newId } from '@gatehouse/domain/id';
import { createSecretBox, type SecretBox } from '@gatehouse/domain/secret-box';
import { createTestAccount } from '@gatehouse/testing/fixtures';
import { pino } from 'pino';
import { expect, test } from 'vitest';
import { createResealWebhookSecrets } from '../src/processors/reseal-webhook-secrets.ts';
import { startStack } from './stack.ts';

const [OLD, NEW] = ['the key of last year, long enough', 'the key of this year, long enough'];
const BEFORE_ALL = '00000000-0000-0000-0000-000000000000';
const before = createSecretBox([OLD]);
const after = createSecretBox([NEW, OLD]);
const onlyNew = createSecretBox([NEW]);

/** Adds an endpoint whose secret is its id, and whose previous one, if it has one, its id twice. */
async function addEndpoint(
  db: Database,
  accountId: string,
  box: SecretBox,
  { previous = null, id = newId() }: { previous?: SecretBox | null; id?: string } = {},
): Promise<string> {
  await db.webhookEndpoint.create({
    data: {
      id,
      accountId,
      url: 'https://example.com/',
      eventTypes: ['*'],
      maxConcurrency: 1,
      ordered: false,
      sealedSecret: box.seal(id, id),
      previousSecretExpiresAt: previous && new Date(Date.now() + 60_000),
      previousSealedSecret: previous?.seal(id + id, id) ?? null,
    },
  });
  return id;
}

const stored = (db: Database, id: string) =>
  db.webhookEndpoint.findUniqueOrThrow({ where: { id } });

/** Runs one round, and resolves with what it logged. */
async function round(db: Database, secretBox = after): Promise<Record<string, unknown>[]> {
  return rounds(db, secretBox)();
}

/** Rounds of one process. */
const rounds = (db: Database, secretBox = after) => {
  const processor = createResealWebhookSecrets({ db, secretBox });
  return async () => {
    const lines: Record<string, unknown>[] = [];
    const log = pino({ base: null }, { write: (line) => lines.push(JSON.parse(line)) });
    const { signal } = new AbortController();
    await processor.run({ signal, log });
    return lines;
  };
};

test('every secret that is under an old key is encrypted anew, for the old key to go', async () => {
  const { db } = await startStack();
  const { accountId } = await createTestAccount(db);
  const ids: string[] = [];
  for (let count = 0; count < 450; count += 1) {
    ids.push(await addEndpoint(db, accountId, before, { previous: count % 2 ? before : null }));
  }
  const mixed = [
    await addEndpoint(db, accountId, after, { previous: before }),
    await addEndpoint(db, accountId, before, { previous: after }),
  ];
  const current = await addEndpoint(db, accountId, after);
  const untouched = await stored(db, current);
  // Of two workers that run it at once; what one meets that the other is changing waits for the next round.
  await Promise.all([round(db), round(db)]);
  expect(await listSecretsWithout(db, after.prefix, { after: BEFORE_ALL, limit: 1 })).toEqual([]);
  for (const [index, id] of [...ids, ...mixed].entries()) {
    const { sealedSecret, previousSealedSecret, version } = await stored(db, id);
    expect(onlyNew.open(sealedSecret, id)).toBe(id);
    const hasPrevious = index % 2 === 1 || mixed.includes(id);
    expect(previousSealedSecret && onlyNew.open(previousSealedSecret, id)).toBe(
      hasPrevious ? id + id : null,
    );
    expect(version).toBe(1);
  }
  expect(await stored(db, current)).toEqual(untouched);
});

/** The keys that secrets are under, and how many under each, as docs/secrets.md has operators ask for. */
async function keysInUse(db: Database): Promise<Record<string, bigint>> {
  const document = await readFile(new URL('../../../docs/secrets.md', import.meta.url), 'utf8');
  const query = /^```sql\n(.*?)^```$/ms.exec(document)?.[1] ?? '';
  const rows = await db.$queryRawUnsafe<{ key: string; count: bigint }[]>(query);
  return Object.fromEntries(rows.map(({ key, count }) => [key, count]));
}

const nameOf = ({ prefix }: SecretBox) => Buffer.from(prefix).toString('hex');

test('the query of the documents tells which keys are in use', async () => {
  const { db } = await startStack();
  const { accountId } = await createTestAccount(db);
  await addEndpoint(db, accountId, before);
  await addEndpoint(db, accountId, after, { previous: before });
  expect(await keysInUse(db)).toEqual({ [nameOf(before)]: 2n, [nameOf(after)]: 1n });
  await round(db);
  expect(await keysInUse(db)).toEqual({ [nameOf(after)]: 3n });
});

test('it says how many there were and under which key all are; and once in a process when it finds that', async () => {
  const { db } = await startStack();
  const { accountId } = await createTestAccount(db);
  for (let count = 0; count < 3; count += 1) await addEndpoint(db, accountId, before);
  const msg = 'all secrets of webhook endpoints are under the first of WEBHOOK_SECRET_KEYS';
  const [first, restarted] = [rounds(db), rounds(db)];
  const lines = await first();
  expect(lines).toMatchObject([{ resealed: 3, key: nameOf(after), msg }]);
  expect(JSON.stringify(lines)).not.toContain('key of this year');
  expect(await first()).toEqual([]);
  expect(await restarted()).toMatchObject([{ resealed: 0, key: nameOf(after), msg }]);
  expect(await restarted()).toEqual([]);
  await addEndpoint(db, accountId, before);
  expect(await restarted()).toMatchObject([{ resealed: 1, msg }]);
});

test('what opens with no key is told of, left as it is, and stops nothing', async () => {
  const { db } = await startStack();
  const { accountId } = await createTestAccount(db);
  const lost = await addEndpoint(db, accountId, createSecretBox(['x'.repeat(32)]));
  const moved = newId();
  await addEndpoint(db, accountId, before, { id: moved });
  const foreign = before.seal('another endpoint', newId());
  await db.webhookEndpoint.update({ where: { id: moved }, data: { sealedSecret: foreign } });
  const good = await addEndpoint(db, accountId, before);
  const kept = await stored(db, lost);

  const lines = await round(db);
  expect(lines).toMatchObject([
    { level: 50, endpointId: lost },
    { level: 50, endpointId: moved },
    { level: 30, resealed: 1, unreadable: 2, msg: expect.stringContaining('some are left') },
  ]);
  expect(await stored(db, lost)).toEqual(kept);
  expect(onlyNew.open((await stored(db, good)).sealedSecret, good)).toBe(good);
});

test('a previous secret that has expired goes, also one that opens with no key', async () => {
  const { db } = await startStack();
  const { accountId } = await createTestAccount(db);
  const lost = createSecretBox(['x'.repeat(32)]);
  const [ended, lasting] = [
    await addEndpoint(db, accountId, after, { previous: lost }),
    await addEndpoint(db, accountId, after, { previous: after }),
  ];
  const unchanged = await stored(db, lasting);
  const previousSecretExpiresAt = new Date(Date.now() - 1_000);
  await db.webhookEndpoint.update({ where: { id: ended }, data: { previousSecretExpiresAt } });
  const before_ = await stored(db, ended);
  expect(await round(db)).toMatchObject([{ level: 30, unreadable: 0 }]);
  const gone = { previousSealedSecret: null, previousSecretExpiresAt: null };
  expect(await stored(db, ended)).toEqual({ ...before_, ...gone });
  expect(await stored(db, lasting)).toEqual(unchanged);
});

test('a secret that is rotated meanwhile stays the rotated one', async () => {
  const { db } = await startStack();
  const { accountId } = await createTestAccount(db);
  const id = await addEndpoint(db, accountId, before);
  const read = await stored(db, id);
  const rotated = {
    sealedSecret: before.seal('rotated', id),
    previousSealedSecret: read.sealedSecret,
    previousSecretExpiresAt: new Date(Date.now() + 60_000),
  };
  // As a gateway does that still has the old key first.
  await db.webhookEndpoint.update({ where: { id }, data: rotated });
  const late = { sealedSecret: after.seal(id, id), previousSealedSecret: null };
  expect(await replaceSecrets(db, read, late)).toBe(false);
  expect(await stored(db, id)).toMatchObject({
    sealedSecret: Uint8Array.from(rotated.sealedSecret),
    previousSealedSecret: read.sealedSecret,
  });
  await round(db);
  const { sealedSecret, previousSealedSecret } = await stored(db, id);
  expect(onlyNew.open(sealedSecret, id)).toBe('rotated');
  expect(previousSealedSecret && onlyNew.open(previousSealedSecret, id)).toBe(id);
});
