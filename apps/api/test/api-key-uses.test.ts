import { recordApiKeyUses } from '@gatehouse/db/api-keys';
import { until } from '@gatehouse/testing/condition';
import { expect, test } from 'vitest';
import { createKeyUses } from '../src/auth/key-uses.ts';
import { startGateway } from './harness.ts';
import { bearer, newPerson } from './people.ts';

test('the last use of a key is listed some seconds later, and written at the end', async () => {
  const gateway = await startGateway();
  const replica = await gateway.replica();
  const person = await newPerson(gateway, 'user');
  const make = async () =>
    (await person.call('POST', '/v1/api-keys', { body: { name: 'k' } })).body;
  const [early, late, unused] = [await make(), await make(), await make()];
  const lastUsedAt = async (id: string) =>
    (await gateway.db.apiKey.findUniqueOrThrow({ where: { id } })).lastUsedAt;

  const before = Date.now();
  await bearer(gateway.call, early.key)('GET', '/v1/orders');
  await until(() => lastUsedAt(early.id), { timeoutMs: 20_000, what: 'the use to be written' });
  const { data } = (await person.call('GET', '/v1/api-keys')).body;
  const shown = new Map(
    data.map((key: { id: string; lastUsedAt: string }) => [key.id, key.lastUsedAt]),
  );
  expect(Date.parse(String(shown.get(early.id)))).toBeGreaterThanOrEqual(before);
  expect(shown.get(unused.id)).toBeNull();

  expect((await bearer(replica.call, late.key)('GET', '/v1/orders')).status).toBe(200);
  await replica.app.close();
  expect(await lastUsedAt(late.id)).not.toBeNull();
  expect(await lastUsedAt(unused.id)).toBeNull();
});

test('a use is written when it moves the last one by a minute, and never backwards', async () => {
  const { db, ...gateway } = await startGateway();
  const person = await newPerson({ db, ...gateway }, 'user');
  const { id } = (await person.call('POST', '/v1/api-keys', { body: { name: 'k' } })).body;
  const use = async (time: string) => {
    await recordApiKeyUses(db, new Map([[id, new Date(time)]]));
    return (await db.apiKey.findUniqueOrThrow({ where: { id } })).lastUsedAt?.toISOString();
  };
  const first = '2026-11-20T08:00:00.000Z';
  expect(await use(first)).toBe(first);
  expect(await use('2026-11-20T08:00:59.999Z')).toBe(first);
  expect(await use('2026-11-20T07:00:00.000Z')).toBe(first);
  expect(await use('2026-11-20T08:01:00.000Z')).toBe('2026-11-20T08:01:00.000Z');
});

test('a database that fails loses uses, and ends nothing', async () => {
  const { app } = await startGateway();
  const lost: number[] = [];
  const uses = createKeyUses(async (taken) => {
    lost.push(taken.size);
    throw new Error('the database is away');
  }, app.log);
  for (const id of ['a', 'b', 'a']) uses.add(id);
  await expect(uses.close()).resolves.toBeUndefined();
  expect(lost).toEqual([2]);
});
