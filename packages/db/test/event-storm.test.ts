import { newId } from '@gatehouse/domain/id';
import { testDatabase } from '@gatehouse/testing/database';
import { createTestAccount } from '@gatehouse/testing/fixtures';
import { createIdleLedger } from '@gatehouse/testing/idle-ledger';
import { createTestEndpoint, publishTestEvents } from '@gatehouse/testing/webhooks';
import { expect, onTestFinished, test } from 'vitest';
import { createDatabase, type Database } from '../src/client.ts';
import { lockEventLog } from '../src/event-log.ts';
import { insertEvents } from '../src/events.ts';
import { transaction } from '../src/transaction.ts';
import { subscribe, unsubscribe } from '../src/webhook-subscriptions.ts';
import { broken } from './tampering.ts';

const ledger = createIdleLedger();
const EVENTS = 5_000;
const WRITERS = 10;
const PUBLISHERS = 20;
const TYPES = ['order.filled', 'order.accepted', 'task.due', 'account.updated'] as const;
const FILTERS = [['*'], ['order.*'], ['task.due', 'account.updated']];

/** Writes events in transactions that are open for different times; returns them as they were committed. */
async function write(db: Database, accountIds: readonly string[], count: number) {
  const committed: { id: string; accountId: string; after: number }[] = [];
  const one = async () => {
    for (let left = count / WRITERS; left > 0; left -= 5) {
      const after = committed.length;
      const events = Array.from({ length: 5 }, (_, index) => ({
        id: newId(),
        accountId: accountIds[(left + index) % accountIds.length] ?? '',
        type: TYPES[index % TYPES.length] ?? 'task.due',
        ...{ data: {}, requestId: null, at: new Date() },
      }));
      await transaction(db, async (tx) => {
        await insertEvents(tx, events);
        await tx.$executeRaw`SELECT pg_sleep(random() * 0.01)`;
      });
      committed.push(...events.map(({ id, accountId }) => ({ id, accountId, after })));
    }
  };
  await Promise.all(Array.from({ length: WRITERS }, one));
  return committed;
}

/** Has an endpoint listen to something else, or to nothing, again and again. */
async function changeItsMind(db: Database, id: string, isOver: () => boolean): Promise<void> {
  for (let round = 0; !isOver(); round += 1) {
    await transaction(db, async (tx) => {
      const lastSeq = await lockEventLog(tx);
      const eventTypes = FILTERS[round % FILTERS.length] ?? [];
      const isOff = round % 4 === 3;
      const disabled = {
        disabledReason: isOff ? 'owner' : null,
        disabledAt: isOff ? new Date() : null,
      } as const;
      await tx.webhookEndpoint.update({ where: { id }, data: { eventTypes, ...disabled } });
      if (isOff) await unsubscribe(tx, id, lastSeq);
      else await subscribe(tx, id, eventTypes, lastSeq);
    });
  }
}

test('many publish at once what many write, while endpoints change: no gap, nothing twice, nothing left out', async () => {
  const { db, url, drop } = await testDatabase();
  const wide = createDatabase(url, { connections: 40 });
  onTestFinished(async () => {
    await wide.$disconnect();
    await drop();
  });
  const accountIds: string[] = [];
  for (let count = 0; count < 5; count += 1)
    accountIds.push((await createTestAccount(db)).accountId);
  const [first = '', second = ''] = accountIds;
  const steady = await createTestEndpoint(db, first);
  const moody = [await createTestEndpoint(db, first), await createTestEndpoint(db, second)];

  let isOver = false;
  const publishing = Array.from({ length: PUBLISHERS }, async () => {
    while (!isOver) await publishTestEvents(wide, ledger, 100);
  });
  const changing = moody.map((id) => changeItsMind(db, id, () => isOver));
  const committed = await write(db, accountIds, EVENTS);
  isOver = true;
  await Promise.all([...publishing, ...changing]);
  await publishTestEvents(db, ledger);

  const events = await db.event.findMany({ orderBy: { seq: 'asc' } });
  expect(events.map(({ seq }) => seq)).toEqual(events.map((_, index) => BigInt(index + 1)));
  expect(events).toHaveLength(EVENTS);
  const seqs = new Map(events.map(({ id, seq }) => [id, Number(seq)]));
  // What had been committed before a transaction began comes before all of its events.
  let newest = 0;
  const newestBefore = committed.map(({ id }) => (newest = Math.max(newest, seqs.get(id) ?? 0)));
  for (const { id, after } of committed) {
    if (after > 0) expect(seqs.get(id)).toBeGreaterThan(newestBefore[after - 1] ?? Infinity);
  }
  const ofFirst = events.filter(({ accountId }) => accountId === first).map(({ id }) => id);
  const told = await db.webhookDelivery.findMany({
    where: { endpointId: steady },
    orderBy: { sequence: 'asc' },
  });
  expect(told.map(({ eventId }) => eventId)).toEqual(ofFirst);
  for (const id of moody) {
    expect(await db.webhookSubscription.count({ where: { endpointId: id } })).toBeGreaterThan(1);
  }
  expect(await broken(db)).toEqual([]);
}, 120_000);
