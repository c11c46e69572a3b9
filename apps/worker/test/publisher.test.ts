import { checkInvariants } from '@gatehouse/db/invariants';
import { until } from '@gatehouse/testing/condition';
import { testDatabase } from '@gatehouse/testing/database';
import { createTestAccount } from '@gatehouse/testing/fixtures';
import { createIdleLedger } from '@gatehouse/testing/idle-ledger';
import { addTestEvents, createTestEndpoint } from '@gatehouse/testing/webhooks';
import { pino } from 'pino';
import { expect, onTestFinished, test } from 'vitest';
import { startPublisher } from '../src/events/publisher.ts';
import { createMetrics } from '../src/metrics.ts';
import { startStack } from './stack.ts';

const log = pino({ level: 'silent' });

test('several publishers together give every event one place, and owe endpoints their job', async () => {
  const { db, drop } = await testDatabase();
  onTestFinished(drop);
  const { accountId } = await createTestAccount(db);
  const endpointId = await createTestEndpoint(db, accountId);
  const publishers = [1, 2, 3].map(() => startPublisher({ db, ledger: createIdleLedger(), log }));
  const all = Array<'task.due'>(700).fill('task.due');
  const ids = await addTestEvents(db, accountId, all, { requestId: 'r' });
  await until(async () => (await db.event.count({ where: { seq: null } })) === 0, {
    what: 'everything to be published',
  });
  await Promise.all(publishers.map((publisher) => publisher.stop()));
  const events = await db.event.findMany({ orderBy: { seq: 'asc' } });
  expect(events.map(({ id, seq }) => [id, seq])).toEqual(
    ids.map((id, index) => [id, BigInt(index + 1)]),
  );
  expect(await db.webhookDelivery.count({ where: { endpointId } })).toBe(700);
  expect(await db.job.findMany()).toMatchObject([
    { name: 'deliver-webhooks', subjectId: endpointId, requestId: 'r', payload: { endpointId } },
  ]);
  expect((await checkInvariants(db)).flatMap(({ violations }) => violations)).toEqual([]);
});

/** An account with twenty endpoints that hear everything, and five hundred events. */
async function burst() {
  const { db, drop } = await testDatabase();
  onTestFinished(drop);
  const { accountId } = await createTestAccount(db);
  await Promise.all(Array.from({ length: 20 }, () => createTestEndpoint(db, accountId)));
  await addTestEvents(db, accountId, Array<'task.due'>(500).fill('task.due'));
  await db.$executeRaw`CREATE TABLE batch (position serial, deliveries int)`;
  /** What is to happen when a transaction makes deliveries, which are `made`. */
  const watch = async (statements: string) => {
    await db.$executeRawUnsafe(`
      CREATE FUNCTION watch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        ${statements} INSERT INTO batch (deliveries) SELECT count(*) FROM made; RETURN NULL; END $$`);
    await db.$executeRawUnsafe(`
      CREATE TRIGGER watch AFTER INSERT ON webhook_delivery REFERENCING NEW TABLE AS made
      FOR EACH STATEMENT EXECUTE FUNCTION watch()`);
  };
  /** Publishes all, and returns how many deliveries each transaction made. */
  const publishAll = async () => {
    const publisher = startPublisher({ db, ledger: createIdleLedger(), log });
    await until(async () => (await db.event.count({ where: { seq: null } })) === 0, {
      what: 'everything to be published',
      timeoutMs: 30_000,
    });
    await publisher.stop();
    const seqs = await db.event.findMany({ orderBy: { insertion: 'asc' }, select: { seq: true } });
    expect(seqs.map(({ seq }) => Number(seq))).toEqual(seqs.map((_, index) => index + 1));
    expect(await db.webhookDelivery.count()).toBe(10_000);
    const batches = await db.$queryRaw<{ deliveries: number }[]>`
      SELECT deliveries FROM batch ORDER BY position`;
    return batches.map(({ deliveries }) => deliveries);
  };
  return { watch, publishAll };
}

test('a burst is published in transactions of some 2,000 deliveries', async () => {
  const { watch, publishAll } = await burst();
  await watch('');
  expect(await publishAll()).toEqual([2_000, 2_000, 2_000, 2_000, 2_000]);
});

test('a batch that is too much for one transaction is published in smaller ones, and larger ones when these succeed', async () => {
  const { watch, publishAll } = await burst();
  await watch(`IF (SELECT count(*) FROM made) > 1000 AND (SELECT count(*) FROM batch) < 3
    THEN RAISE 'too much'; END IF;`);
  expect(await publishAll()).toEqual([...[640, 640, 640, 1_280, 2_000], ...[2_000, 2_000, 800]]);
});

test('a publisher that cannot publish tells for how long, and goes on when it can', async () => {
  const { db, drop } = await testDatabase();
  onTestFinished(drop);
  const { accountId } = await createTestAccount(db);
  const publisher = startPublisher({ db, ledger: createIdleLedger(), log });
  await db.$transaction(
    async (tx) => {
      await tx.$executeRaw`SELECT 1 FROM event_log FOR UPDATE`;
      await addTestEvents(db, accountId, ['task.due'], { at: new Date(Date.now() - 60_000) });
      await until(() => publisher.lagSeconds >= 60, { what: 'the lag to be seen' });
    },
    { timeout: 15_000 },
  );
  await until(() => publisher.lagSeconds === 0, { what: 'the lag to be gone' });
  expect(await db.event.count({ where: { seq: 1n } })).toBe(1);
  await publisher.stop();
  await addTestEvents(db, accountId, ['task.due']);
  expect(await db.event.count({ where: { seq: null } })).toBe(1);
});

test('every worker publishes until it ends, and tells how late it is', async () => {
  const { db, startWorker } = await startStack();
  const { accountId } = await createTestAccount(db);
  const [first, second] = [await startWorker(), await startWorker()];
  const lag = async () =>
    (await (await fetch(`${first.internalUrl}/metrics`)).text()).match(
      /^gatehouse_event_publishing_lag_seconds (.*)$/m,
    )?.[1];
  const published = async () => {
    const [id] = await addTestEvents(db, accountId, ['task.due']);
    const isPublished = async () => (await db.event.findUnique({ where: { id: id ?? '' } }))?.seq;
    await until(isPublished, { what: 'the event to be published' });
  };
  await published();
  await until(async () => (await lag()) === '0', { what: 'the lag to be gone' });
  await first.close();
  await published();
  await second.close();
  await addTestEvents(db, accountId, ['task.due']);
  expect(await db.event.count({ where: { seq: null } })).toBe(1);
});

test('the lag is the one that the publisher has now', async () => {
  const metrics = createMetrics();
  const publisher = { lagSeconds: 7.5 };
  metrics.watchPublisher(publisher);
  expect(await metrics.text()).toContain('gatehouse_event_publishing_lag_seconds 7.5\n');
  publisher.lagSeconds = 0;
  expect(await metrics.text()).toContain('gatehouse_event_publishing_lag_seconds 0\n');
});
