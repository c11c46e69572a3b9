import { newId } from '@gatehouse/domain/id';
import { testDatabase } from '@gatehouse/testing/database';
import { expect, onTestFinished, test } from 'vitest';
import { deleteOldStripeEvents, settleStripeEvents } from '../src/stripe-event-ends.ts';
import {
  acceptStripeEvents,
  findStripeEvent,
  listStripeEvents,
  lockStripeEvent,
  type NewStripeEvent,
  type StripeEventAcceptance,
} from '../src/stripe-events.ts';
import { transaction } from '../src/transaction.ts';
import { newJob } from './new-job.ts';

async function setUp() {
  const { db, drop } = await testDatabase();
  onTestFinished(drop);
  return db;
}

function acceptance(changes: Partial<NewStripeEvent> = {}): StripeEventAcceptance {
  const id = newId();
  return {
    event: {
      id,
      eventId: `evt_${id}`,
      type: 'payment_intent.succeeded',
      livemode: false,
      source: 'webhook',
      payload: '{}',
      ...changes,
    },
    job: newJob({
      queue: 'payments',
      name: 'process-stripe-event',
      subjectId: id,
      payload: { stripeEventId: id },
      state: 'dispatched',
      priority: 3,
      requestId: 'request',
    }),
  };
}

test('a batch stores each event as it came, with its job', async () => {
  const db = await setUp();
  const payload = '{"id":"evt_1", "a":"\\u0000\\ud800", "a":1, "é":"😀" }\n';
  const batch = [
    acceptance({ payload, livemode: true }),
    acceptance({ type: 'v1.billing.meter.error_report_triggered', source: 'reconciliation' }),
  ];
  const ids = batch.map(({ event }) => event.id);
  expect(await acceptStripeEvents(db, batch)).toEqual(new Set(ids));
  for (const { event, job } of batch) {
    expect(await findStripeEvent(db, event.id)).toEqual({
      ...event,
      status: 'received',
      outcome: null,
      receivedAt: expect.any(Date),
      processedAt: null,
    });
    const { delayMs, runAt, ...planned } = job;
    expect(await db.job.findUniqueOrThrow({ where: { id: job.id } })).toMatchObject(planned);
  }
  expect(await db.job.count()).toBe(2);
});

test('an event that was stored before is left out, within a batch too, with its job', async () => {
  const db = await setUp();
  const first = acceptance({ eventId: 'evt_a', payload: '{"first":true}' });
  await acceptStripeEvents(db, [first]);
  const batch = ['evt_c', 'evt_a', 'evt_b', 'evt_b', 'evt_c'].map((eventId, index) =>
    acceptance({ eventId, payload: `{"place":${index}}` }),
  );
  const accepted = await acceptStripeEvents(db, batch);
  expect(accepted).toEqual(new Set([batch[0]?.event.id, batch[2]?.event.id]));
  const rows = await db.stripeEvent.findMany({ orderBy: { eventId: 'asc' } });
  expect(rows.map(({ eventId, payload }) => [eventId, payload])).toEqual([
    ['evt_a', '{"first":true}'],
    ['evt_b', '{"place":2}'],
    ['evt_c', '{"place":0}'],
  ]);
  const jobs = await db.job.findMany({ select: { subjectId: true } });
  expect(new Set(jobs.map(({ subjectId }) => subjectId))).toEqual(
    new Set(rows.map(({ id }) => id)),
  );
  expect(jobs).toHaveLength(3);
});

test('batches with the same events in other orders never wait for each other in a circle', async () => {
  const db = await setUp();
  // Rows of some size, so that the statements are long enough to meet.
  const payload = JSON.stringify('x'.repeat(2_000));
  for (let round = 0; round < 5; round += 1) {
    const names = Array.from({ length: 200 }, (_, index) => `evt_${round}_${index}`);
    const batches = [names, [...names].reverse(), [...names.slice(100), ...names.slice(0, 100)]];
    const outcomes = await Promise.all(
      batches.map((batch) =>
        acceptStripeEvents(
          db,
          batch.map((eventId) => acceptance({ eventId, payload })),
        ),
      ),
    );
    const accepted = outcomes.flatMap((ids) => [...ids]);
    expect(accepted).toHaveLength(200);
    expect(await db.stripeEvent.count()).toBe(200 * (round + 1));
    expect(await db.job.count()).toBe(200 * (round + 1));
  }
});

test('a batch that cannot be stored leaves nothing of any event', async () => {
  const db = await setUp();
  const bad = acceptance();
  const batch = [acceptance(), { ...bad, job: { ...bad.job, payload: { bad: '\u0000' } } }];
  await expect(acceptStripeEvents(db, batch)).rejects.toThrow();
  expect([await db.stripeEvent.count(), await db.job.count()]).toEqual([0, 0]);
});

test('the list is newest first, page by page, by each filter, and without payloads', async () => {
  const db = await setUp();
  const batch = [
    acceptance(),
    acceptance({ type: 'charge.refunded' }),
    acceptance({ source: 'reconciliation' }),
    acceptance(),
  ];
  await acceptStripeEvents(db, batch);
  const ids = batch.map(({ event }) => event.id);
  const [one = '', two, three, four] = ids;
  await transaction(db, (tx) =>
    settleStripeEvents(tx, [{ id: one, status: 'refused', outcome: 'of another mode' }]),
  );
  const list = async (filter: Parameters<typeof listStripeEvents>[1]) =>
    (await listStripeEvents(db, filter, { limit: 10 })).data.map(({ id }) => id);
  expect(await list({})).toEqual([four, three, two, one]);
  expect(await list({ status: 'refused' })).toEqual([one]);
  expect(await list({ type: 'charge.refunded' })).toEqual([two]);
  expect(await list({ source: 'reconciliation' })).toEqual([three]);
  expect(await list({ eventId: batch[3]?.event.eventId })).toEqual([four]);
  expect(await list({ status: 'refused', source: 'reconciliation' })).toEqual([]);
  const page = await listStripeEvents(db, {}, { limit: 3 });
  expect([page.data.length, page.hasMore, page.nextCursor]).toEqual([3, true, two]);
  const next = await listStripeEvents(db, {}, { limit: 3, cursor: two });
  expect(next.data).toMatchObject([
    { id: one, status: 'refused', outcome: 'of another mode', processedAt: expect.any(Date) },
  ]);
  expect(next.data[0]).not.toHaveProperty('payload');
});

test('of many that would process an event again one finds no job owed for it', async () => {
  const db = await setUp();
  const { event, job } = acceptance();
  const { id } = event;
  await acceptStripeEvents(db, [{ event, job }]);
  const { delayMs, ...given } = job;
  const owe = () =>
    transaction(db, async (tx) => {
      const locked = await lockStripeEvent(tx, id, job.name);
      const row = { ...given, id: newId(), runAt: new Date() };
      if (locked?.isOwed === false) await tx.job.create({ data: row });
      return locked?.isOwed;
    });
  expect(await owe()).toBe(true);
  await db.job.updateMany({ data: { state: 'dead' } });
  expect(await owe()).toBe(true);

  const end = { id, status: 'ignored', outcome: 'nobody handles it' } as const;
  await transaction(db, async (tx) => {
    await tx.job.deleteMany();
    await settleStripeEvents(tx, [end]);
  });
  const found = await Promise.all(Array.from({ length: 8 }, owe));
  expect(found.filter((isOwed) => isOwed === false)).toHaveLength(1);
  expect(await db.job.count()).toBe(1);
  expect(await findStripeEvent(db, id)).toMatchObject({ ...end, processedAt: expect.any(Date) });
  expect(await transaction(db, (tx) => lockStripeEvent(tx, newId(), job.name))).toBeNull();
});

test('events that ended more than 90 days ago are deleted, in batches, and no others', async () => {
  const db = await setUp();
  const day = 86_400_000;
  const add = async (daysAgo: number, endedDaysAgo: number | null) => {
    const id = idOf(Date.now() - daysAgo * day);
    await acceptStripeEvents(db, [acceptance({ id, eventId: `evt_${id}` })]);
    if (endedDaysAgo !== null) {
      const processedAt = new Date(Date.now() - endedDaysAgo * day);
      await db.stripeEvent.update({ where: { id }, data: { status: 'ignored', processedAt } });
    }
    return id;
  };
  for (const days of [91, 92, 300]) await add(days, days);
  const kept = [await add(300, null), await add(300, 1), await add(89, 89), await add(0, 0)];
  expect(await deleteOldStripeEvents(db, 2)).toBe(2);
  expect(await deleteOldStripeEvents(db, 2)).toBe(1);
  expect(await deleteOldStripeEvents(db, 2)).toBe(0);
  const left = await db.stripeEvent.findMany({ select: { id: true } });
  expect(left.map(({ id }) => id).sort()).toEqual(kept.sort());
});

/** An id as of that time. */
function idOf(ms: number): string {
  const time = ms.toString(16).padStart(12, '0');
  return `${time.slice(0, 8)}-${time.slice(8)}${newId().slice(13)}`;
}
