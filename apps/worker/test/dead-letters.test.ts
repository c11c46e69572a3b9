import { redriveJob } from '@gatehouse/db/dead-letters';
import { transaction } from '@gatehouse/db/transaction';
import { cancelJob } from '@gatehouse/jobs/cancellation';
import { sendEmail } from '@gatehouse/jobs/definitions/send-email';
import { until } from '@gatehouse/testing/condition';
import { expect, test } from 'vitest';
import { expectBalancedBooks } from './books.ts';
import { oweEmail } from './emails.ts';
import { startStack, type TestStack } from './stack.ts';

const { attempts } = sendEmail.retry;

const redrive = ({ db }: TestStack, id: string) => transaction(db, (tx) => redriveJob(tx, id));

/** A mail that the server has refused for the last time. The worker runs, the server refuses on. */
async function deadEmail(stack: TestStack) {
  const { db, smtp, startWorker } = stack;
  smtp.set('refuse');
  await oweEmail(stack, 'poison');
  // One attempt is left.
  await db.job.updateMany({ data: { attempts: attempts - 1 } });
  await startWorker();
  return until(() => db.job.findFirst({ where: { state: 'dead' } }), {
    what: 'the mail to be dead',
  });
}

test('a dead mail is left alone until it is redriven, twenty times at once: it is delivered once', async () => {
  const stack = await startStack();
  const { db, smtp, allSettled } = stack;
  const dead = await deadEmail(stack);
  expect(dead).toMatchObject({ attempts, lastError: expect.stringContaining('451') });
  smtp.set('accept');
  await oweEmail(stack, 'neighbour');
  await until(async () => (await db.job.count()) === 1, { what: 'the neighbour to be settled' });
  expect(await db.job.findMany()).toEqual([dead]);

  const redrives = await Promise.all(Array.from({ length: 20 }, () => redrive(stack, dead.id)));
  expect(redrives.some((outcome) => outcome?.isRedriven)).toBe(true);
  await allSettled();
  expect(smtp.received.map(({ subject }) => subject)).toEqual(['Due: neighbour', 'Due: poison']);
  expect(smtp.attempts).toBe(3);
  expect(await db.email.count({ where: { status: 'sent' } })).toBe(2);
  expect(await redrive(stack, dead.id)).toBeNull();
});

test('a redriven mail that is refused again has all its attempts before it', async () => {
  const stack = await startStack();
  const { db } = stack;
  const dead = await deadEmail(stack);
  await redrive(stack, dead.id);
  const refused = await until(() => db.job.findFirst({ where: { attempts: 1 } }), {
    what: 'the first failure after the redrive',
  });
  expect(refused).toMatchObject({ state: 'waiting', lastError: expect.stringContaining('451') });
  // Those besides in which it was put off, since the server is known to refuse.
  expect(refused.generation).toBeGreaterThanOrEqual(dead.generation + 2);
});

test('a job that is being run is neither redriven nor canceled, and ends once', async () => {
  const stack = await startStack();
  const { db, smtp, startWorker, allSettled } = stack;
  smtp.set('hang');
  await startWorker();
  await oweEmail(stack, 'slow');
  await until(() => smtp.attempts === 1, { what: 'the mail to be on its way' });
  const running = await db.job.findFirstOrThrow();
  expect(await redrive(stack, running.id)).toEqual({ job: running, isRedriven: false });
  const canceled = await transaction(db, (tx) => cancelJob(tx, running.id));
  expect(canceled).toEqual({ job: running, refusal: 'it is dispatched' });
  smtp.set('accept');
  await allSettled();
  expect([smtp.attempts, smtp.received.length]).toEqual([1, 1]);
});

test('a mail whose job was canceled is never sent, also by a run that comes late', async () => {
  const stack = await startStack();
  const { db, queues, smtp } = stack;
  const dead = await deadEmail(stack);
  await transaction(db, (tx) => cancelJob(tx, dead.id));
  smtp.set('accept');
  const late = { id: dead.id, generation: dead.generation, payload: { emailId: dead.subjectId } };
  await queues.mail.add('send-email', { ...late, requestId: null }, { jobId: `${dead.id}-late` });
  await until(async () => (await queues.mail.getCompletedCount()) === 1, { what: 'the late run' });
  expect(smtp.received).toEqual([]);
  expect(await db.email.findMany()).toMatchObject([{ status: 'canceled', sentAt: null }]);
  await expectBalancedBooks(db);
});
