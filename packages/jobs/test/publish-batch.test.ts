import { publishEvents } from '@gatehouse/db/event-publishing';
import { checkInvariants } from '@gatehouse/db/invariants';
import { transaction } from '@gatehouse/db/transaction';
import { testDatabase } from '@gatehouse/testing/database';
import { createTestAccount } from '@gatehouse/testing/fixtures';
import { createIdleLedger } from '@gatehouse/testing/idle-ledger';
import { addTestEvents, createTestEndpoint } from '@gatehouse/testing/webhooks';
import { expect, onTestFinished, test } from 'vitest';
import { publishBatch } from '../src/publish-batch.ts';

const ledger = createIdleLedger();

test('each endpoint that has something to do is owed its job, for when it has and with the newest request', async () => {
  const { db, drop } = await testDatabase();
  onTestFinished(drop);
  const { accountId } = await createTestAccount(db);
  const [ready, paused] = [
    await createTestEndpoint(db, accountId),
    await createTestEndpoint(db, accountId),
  ];
  await createTestEndpoint(db, accountId, { eventTypes: ['order.*'] });
  const pausedUntil = new Date(Date.now() + 3_600_000);
  await db.webhookEndpoint.update({ where: { id: paused }, data: { pausedUntil } });
  await addTestEvents(db, accountId, ['task.due'], { requestId: 'old' });
  await addTestEvents(db, accountId, ['task.due'], { requestId: 'new' });
  const published = await transaction(db, (tx) => publishBatch(tx, ledger, 500));
  expect(published).toMatchObject({ events: 2, deliveries: 4 });
  const jobs = await db.job.findMany();
  const byEndpoint = new Map(jobs.map((job) => [job.subjectId, job]));
  expect([...byEndpoint.keys()].sort()).toEqual([ready, paused].sort());
  for (const endpointId of [ready, paused]) {
    const owed = { name: 'deliver-webhooks', requestId: 'new', payload: { endpointId } };
    expect(byEndpoint.get(endpointId)).toMatchObject(owed);
  }
  expect(byEndpoint.get(paused)?.runAt).toEqual(pausedUntil);
  const now = Date.now() + 60_000;
  expect(byEndpoint.get(ready)?.runAt?.getTime()).toBeLessThan(now);
  expect((await checkInvariants(db)).flatMap(({ violations }) => violations)).toEqual([]);
});

test('who finds somebody else publishing owes nothing', async () => {
  const { db, drop } = await testDatabase();
  onTestFinished(drop);
  const { accountId } = await createTestAccount(db);
  await createTestEndpoint(db, accountId);
  await addTestEvents(db, accountId, ['task.due']);
  await transaction(db, async (tx) => {
    await publishEvents(tx, 0);
    expect(await transaction(db, (other) => publishBatch(other, ledger, 500))).toBeNull();
  });
  expect(await db.job.count()).toBe(0);
  expect(await db.event.count({ where: { seq: null } })).toBe(1);
});
