import { insertEmails } from '@gatehouse/db/emails';
import { recordFailure } from '@gatehouse/db/jobs';
import { transaction } from '@gatehouse/db/transaction';
import { newId } from '@gatehouse/domain/id';
import { sendEmail } from '@gatehouse/jobs/definitions/send-email';
import type { JobData } from '@gatehouse/jobs/queues';
import { createTestAccount } from '@gatehouse/testing/fixtures';
import { Job } from 'bullmq';
import { pino } from 'pino';
import { expect, test } from 'vitest';
import { createAttempt } from '../src/attempt.ts';
import { createFailureBook } from '../src/failures.ts';
import { type JobContext, processJob } from '../src/processor.ts';
import { createRegistry } from '../src/registry.ts';
import { startStack } from './stack.ts';

const log = pino({ level: 'silent' });
const { attempts } = sendEmail.retry;

/** An owed job, and what a worker does when BullMQ delivers it to a processor. */
async function deliver(
  handle: (context: JobContext, effect: Parameters<JobContext['settle']>[0]) => Promise<void>,
) {
  const { db, ledger, queues } = await startStack();
  const { accountId, email: recipient } = await createTestAccount(db);
  const payload = { emailId: newId() };
  await transaction(db, (tx) => ledger.enqueue(tx, sendEmail, payload, { requestId: 'r-1' }));
  const row = await db.job.findFirstOrThrow();
  const processor = processJob(sendEmail, (parsed, context) =>
    handle(context, async (tx) => {
      const template = parsed.emailId;
      await insertEmails(tx, [{ id: newId(), accountId, recipient, template, data: {} }]);
    }),
  );
  const registry = createRegistry([sendEmail], [processor]);
  const attempt = createAttempt({
    db,
    registry,
    log,
    failures: createFailureBook(db, registry, log),
    onGroupFree: () => undefined,
  });
  return {
    db,
    row,
    effects: () => db.email.count({ where: { template: payload.emailId } }),
    run: (signal = new AbortController().signal, data: Partial<JobData> = {}) => {
      const carried: JobData = { id: row.id, generation: 0, payload, requestId: 'r-1', ...data };
      return attempt(new Job<JobData, void, string>(queues.mail, row.name, carried), signal);
    },
  };
}

test('of many runs at once the effect of exactly one is applied, and all end well', async () => {
  const outcomes: boolean[] = [];
  const { db, run, effects } = await deliver(async ({ settle }, effect) => {
    outcomes.push(await settle(effect));
  });
  await Promise.all(Array.from({ length: 8 }, () => run()));
  expect(outcomes.filter(Boolean)).toHaveLength(1);
  expect(outcomes).toHaveLength(8);
  expect(await effects()).toBe(1);
  expect(await db.job.count()).toBe(0);
});

test('an effect that fails leaves the job owed and nothing of itself', async () => {
  const { db, row, run, effects } = await deliver(async ({ settle }, effect) => {
    await settle(async (tx) => {
      await effect(tx);
      throw new Error('too late');
    });
  });
  await expect(run()).rejects.toThrow('too late');
  expect(await effects()).toBe(0);
  const failed = await db.job.findUniqueOrThrow({ where: { id: row.id } });
  expect(failed).toMatchObject({ attempts: 1, generation: 1, state: 'waiting' });
  expect(failed.lastError).toBe('Error: too late');
});

test('a processor that forgets to settle, or settles twice, fails with a word about it', async () => {
  const forgetful = await deliver(async () => undefined);
  await expect(forgetful.run()).rejects.toThrow('send-email returned without settling its job');
  expect((await forgetful.db.job.findFirstOrThrow()).lastError).toMatch(/without settling/);

  const results: unknown[] = [];
  const eager = await deliver(async ({ settle }, effect) => {
    await settle(effect);
    await settle(effect).catch((error: unknown) => results.push(error));
  });
  await eager.run();
  expect(results).toEqual([new Error('send-email settled twice')]);
  expect(await eager.effects()).toBe(1);
});

test('a run whose job was dispatched anew, or settled, can tell, and ends well without an effect', async () => {
  const answers: boolean[] = [];
  const { db, row, run, effects } = await deliver(async ({ isOwed, settle }, effect) => {
    const owed = await isOwed();
    answers.push(owed);
    if (owed) await settle(effect);
  });
  await db.job.updateMany({ data: { generation: 1 } });
  await run();
  expect(await db.job.findUniqueOrThrow({ where: { id: row.id } })).toMatchObject({ attempts: 0 });
  await run(undefined, { generation: 1 });
  await run(undefined, { generation: 1 });
  expect(answers).toEqual([false, true, false]);
  expect(await effects()).toBe(1);
});

test('an error after the job was settled is none', async () => {
  const { db, run, effects } = await deliver(async ({ settle }, effect) => {
    await settle(effect);
    throw new Error('afterwards');
  });
  await run();
  expect(await effects()).toBe(1);
  expect(await db.job.count()).toBe(0);
});

test('a failure counts once for its dispatch, and not for a later one', async () => {
  const { db, run } = await deliver(async () => {
    throw new Error('x'.repeat(5_000));
  });
  const outcomes = await Promise.allSettled([run(), run(), run()]);
  expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected']);
  const failed = await db.job.findFirstOrThrow();
  expect(failed).toMatchObject({ attempts: 1, generation: 1 });
  expect(failed.lastError).toHaveLength(2_000);
});

test('an attempt that the shutdown cuts short is not counted and starts anew at once', async () => {
  const { db, run } = await deliver(async ({ signal }) => {
    signal.throwIfAborted();
  });
  await expect(run(AbortSignal.abort(new Error('shutting down')))).rejects.toThrow('shutting down');
  const handedBack = await db.job.findFirstOrThrow();
  expect(handedBack).toMatchObject({
    attempts: 0,
    generation: 1,
    state: 'waiting',
    lastError: null,
  });
  expect(handedBack.runAt.getTime()).toBeLessThanOrEqual(Date.now());
});

test('a payload that does not fit is put off before the processor sees it', async () => {
  const { db, run, effects } = await deliver(async ({ settle }, effect) => {
    await settle(effect);
  });
  await expect(run(undefined, { payload: { other: 'x' } })).rejects.toThrow();
  expect(await effects()).toBe(0);
  expect(await db.job.findFirstOrThrow()).toMatchObject({ attempts: 0, generation: 1 });
});

test('the last failure makes the job dead, and a late delivery still settles it', async () => {
  let isBroken = true;
  const { db, row, run, effects } = await deliver(async ({ settle }, effect) => {
    if (isBroken) throw new Error('broken');
    await settle(effect);
  });
  await recordFailure(db, {
    jobId: row.id,
    generation: 0,
    error: 'earlier',
    isCounted: true,
    retryInMs: 0,
  });
  await db.job.updateMany({ data: { attempts: attempts - 1, state: 'dispatched' } });
  await expect(run(undefined, { generation: 1 })).rejects.toThrow('broken');
  expect(await db.job.findFirstOrThrow()).toMatchObject({ attempts, state: 'dead' });
  isBroken = false;
  await run(undefined, { generation: 1 });
  expect(await effects()).toBe(1);
  expect(await db.job.count()).toBe(0);
});
