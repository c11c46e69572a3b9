import { findUserByEmail } from '@gatehouse/db/users';
import { Redis } from 'ioredis';
import { expect, onTestFinished, test } from 'vitest';
import { testDatabase } from '../src/database.ts';
import { testRedis } from '../src/redis.ts';

test('a database of a test is migrated and gone afterwards', async () => {
  const database = await testDatabase();
  expect(await findUserByEmail(database.db, 'nobody@gatehouse.test')).toBeNull();
  await database.drop();
  const { createDatabase, ping } = await import('@gatehouse/db/client');
  const gone = createDatabase(database.url);
  onTestFinished(() => gone.$disconnect());
  await expect(ping(gone)).rejects.toThrow();
});

test('two tests do not see the same keys', async () => {
  const [one, other] = await Promise.all([testRedis(), testRedis()]);
  const [first, second] = [new Redis(one.url), new Redis(other.url)];
  onTestFinished(async () => {
    first.disconnect();
    second.disconnect();
    await one.drop();
    await other.drop();
  });
  await first.set('key', 'value');
  expect(await second.get('key')).toBeNull();
});
