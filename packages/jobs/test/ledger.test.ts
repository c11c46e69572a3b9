import { insertJobs } from '@gatehouse/db/jobs';
import { transaction } from '@gatehouse/db/transaction';
import { newId } from '@gatehouse/domain/id';
import { until } from '@gatehouse/testing/condition';
import { testDatabase } from '@gatehouse/testing/database';
import { testRedis } from '@gatehouse/testing/redis';
import { expect, onTestFinished, test } from 'vitest';
import { producerConnection, warmUp } from '../src/connection.ts';
import { sendEmail } from '../src/definitions/send-email.ts';
import { createDispatcher, WINDOW } from '../src/dispatcher.ts';
import { createJobLedger } from '../src/ledger.ts';
import { closeQueues, createQueues, dispatchId } from '../src/queues.ts';

async function setUp() {
  const database = await testDatabase();
  onTestFinished(database.drop);
  const keyspace = await testRedis();
  onTestFinished(keyspace.drop);
  const errors: unknown[] = [];
  const redis = producerConnection(keyspace.url, (error) => errors.push(error));
  onTestFinished(async () => redis.disconnect());
  await warmUp(redis, 5_000);
  const queues = createQueues(redis, (error) => errors.push(error));
  onTestFinished(() => closeQueues(queues));
  const warnings: string[] = [];
  const log = { warn: (_: object, message: string) => warnings.push(message) };
  const dispatcher = createDispatcher(database.db, queues, redis, log);
  return {
    db: database.db,
    redis,
    queues,
    dispatcher,
    warnings,
    ledger: createJobLedger(dispatcher),
  };
}

test('a job reaches BullMQ after its transaction is committed, under the id of its first dispatch', async () => {
  const { db, queues, ledger, dispatcher } = await setUp();
  const emailId = newId();
  await transaction(db, async (tx) => {
    await ledger.enqueue(tx, sendEmail, { emailId }, { requestId: 'r' });
    await dispatcher.drain();
    expect(await queues.mail.getJobCounts('wait')).toEqual({ wait: 0 });
  });
  await dispatcher.drain();
  const [row] = await db.job.findMany();
  expect(row).toMatchObject({
    name: 'send-email',
    queue: 'mail',
    state: 'dispatched',
    subjectId: emailId,
    payload: { emailId },
  });
  const id = row?.id ?? '';
  const job = await queues.mail.getJob(dispatchId({ id, generation: 0 }));
  expect(job?.data).toEqual({ id, generation: 0, payload: { emailId }, requestId: 'r' });
});

test('a transaction that is rolled back owes nothing and dispatches nothing', async () => {
  const { db, queues, ledger, dispatcher } = await setUp();
  const failing = transaction(db, async (tx) => {
    await ledger.enqueue(tx, sendEmail, { emailId: newId() }, { requestId: null });
    throw new Error('no');
  });
  await expect(failing).rejects.toThrow('no');
  await dispatcher.drain();
  expect(await db.job.count()).toBe(0);
  expect(await queues.mail.getJobCountByTypes('wait', 'active', 'completed', 'failed')).toBe(0);
});

test('a job that is due later stays in Postgres', async () => {
  const { db, queues, ledger, dispatcher } = await setUp();
  const runAt = new Date(Date.now() + 3_600_000);
  await transaction(db, (tx) =>
    ledger.enqueue(tx, sendEmail, { emailId: newId() }, { requestId: null, runAt }),
  );
  await dispatcher.drain();
  expect(await db.job.findMany()).toMatchObject([{ state: 'waiting', runAt }]);
  expect(await queues.mail.getJobCountByTypes('wait', 'delayed')).toBe(0);
});

test('a payload that does not fit its schema is a mistake of the caller', async () => {
  const { db, ledger } = await setUp();
  const wrong = transaction(db, (tx) =>
    // @ts-expect-error the type says so as well
    ledger.enqueue(tx, sendEmail, { orderId: newId() }, { requestId: null }),
  );
  await expect(wrong).rejects.toThrow();
  expect(await db.job.count()).toBe(0);
});

test('without Redis the change succeeds and its job waits for the relay', async () => {
  const { db, redis, ledger, dispatcher, warnings } = await setUp();
  await transaction(db, async (tx) => {
    await ledger.enqueue(tx, sendEmail, { emailId: newId() }, { requestId: null });
    redis.disconnect();
  });
  await dispatcher.drain();
  expect(await db.job.findMany()).toMatchObject([{ state: 'waiting' }]);
  expect(warnings).toEqual(['jobs could not be handed to Redis, the relay will']);
});

test('while a queue is over its window, new jobs are left to the relay', async () => {
  const { db, queues, ledger, dispatcher } = await setUp();
  await queues.mail.addBulk(
    Array.from({ length: WINDOW }, () => ({
      name: 'send-email',
      data: { id: newId(), generation: 0, payload: {}, requestId: null },
    })),
  );
  expect(await dispatcher.room('mail')).toBe(0);
  expect(dispatcher.accepts('trades')).toBe(true);
  await transaction(db, (tx) =>
    ledger.enqueue(tx, sendEmail, { emailId: newId() }, { requestId: null }),
  );
  await dispatcher.drain();
  expect(await db.job.findMany()).toMatchObject([{ state: 'waiting' }]);
  expect(await queues.mail.getWaitingCount()).toBe(WINDOW);
  await queues.mail.drain();
  // Found out by itself: in the gateway no relay asks for the room.
  await until(() => dispatcher.accepts('mail'), { what: 'the window to open again' });
  expect(await dispatcher.room('mail')).toBe(WINDOW);
});

test('a thousand jobs of one commit reach BullMQ, each once, whatever comes between', async () => {
  const { db, queues, ledger, dispatcher } = await setUp();
  const jobs = Array.from({ length: 1_000 }, () =>
    ledger.plan(sendEmail, { emailId: newId() }, { requestId: null }),
  );
  await transaction(db, (tx) => insertJobs(tx, jobs));
  ledger.dispatch(jobs.slice(0, 700));
  ledger.dispatch(jobs.slice(300));
  await dispatcher.drain();
  await until(async () => (await queues.mail.getWaitingCount()) === 1_000, {
    what: 'a thousand waiting jobs',
  });
});

test('while there has never been a Redis, jobs wait in Postgres and nothing waits for it', async () => {
  const { db } = await setUp();
  const redis = producerConnection('redis://127.0.0.1:1', () => undefined);
  onTestFinished(async () => redis.disconnect());
  const warnings: string[] = [];
  const log = { warn: (_: object, message: string) => warnings.push(message) };
  const queues = createQueues(redis, () => undefined);
  const dispatcher = createDispatcher(db, queues, redis, log);
  const ledger = createJobLedger(dispatcher);
  await transaction(db, (tx) =>
    ledger.enqueue(tx, sendEmail, { emailId: newId() }, { requestId: null }),
  );
  expect(await db.job.findMany()).toMatchObject([{ state: 'waiting' }]);

  // Planned while there was one: handed over, or given back, and never waited for.
  const [row] = await db.job.findMany();
  await db.job.updateMany({ data: { state: 'dispatched' } });
  const planned = { queue: 'mail', name: 'send-email', payload: {}, generation: 0, priority: 0 };
  const id = row?.id ?? '';
  dispatcher.dispatch([{ ...planned, id, groupKey: null, requestId: null }]);
  await dispatcher.drain();
  expect(await db.job.findMany()).toMatchObject([{ id, state: 'waiting' }]);
  expect(warnings).toHaveLength(1);
  await expect(dispatcher.room('mail')).rejects.toThrow('Redis is not connected');
  await closeQueues(queues);
});
