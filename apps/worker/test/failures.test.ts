import { sendEmail } from '@gatehouse/jobs/definitions/send-email';
import { until } from '@gatehouse/testing/condition';
import { expect, test } from 'vitest';
import { oweEmail } from './emails.ts';
import { startStack } from './stack.ts';

const { attempts } = sendEmail.retry;

test('a mail server that refuses is tried again, later each time, until it takes the mail', async () => {
  const stack = await startStack();
  const { db, smtp, startWorker, allSettled } = stack;
  smtp.set('refuse');
  await startWorker();
  await oweEmail(stack, 'first');

  const afterTwo = await until(() => db.job.findFirst({ where: { attempts: 2 } }), {
    what: 'the second failure',
  });
  expect(afterTwo).toMatchObject({ state: 'waiting', requestId: 'request-1' });
  expect(afterTwo.lastError).toMatch(/451.*mailbox temporarily unavailable/);
  const { at, durationMs } = await db.emailAttempt.findFirstOrThrow({ orderBy: { id: 'desc' } });
  // Half of 2 s is fixed, half is random.
  expect(afterTwo.runAt.getTime() - at.getTime() - durationMs).toBeGreaterThan(990);
  expect(afterTwo.runAt.getTime() - Date.now()).toBeLessThanOrEqual(2_000);

  smtp.set('accept');
  await allSettled();
  expect(smtp.attempts).toBe(3);
  expect(smtp.received).toHaveLength(1);
  expect(smtp.received[0]?.subject).toBe('Due: first');
  expect(await db.email.count({ where: { status: 'sent' } })).toBe(1);
});

test('a job whose attempts are used up is dead, with its error, and its neighbours finish', async () => {
  const stack = await startStack();
  const { db, redis, queues, smtp, startWorker } = stack;
  await oweEmail(stack, 'poison');
  const poison = await db.job.findFirstOrThrow();
  await db.email.updateMany({ data: { template: 'no-such-template' } });
  // One attempt is left.
  await db.job.update({ where: { id: poison.id }, data: { attempts: attempts - 1 } });
  const neighbours = ['one', 'two', 'three'];
  for (const title of neighbours) await oweEmail(stack, title);
  await startWorker();

  await until(() => smtp.received.length === 3, { what: 'the neighbours' });
  const dead = await until(() => db.job.findFirst({ where: { state: 'dead' } }), {
    what: 'the poison job to be dead',
  });
  expect(dead).toMatchObject({ id: poison.id, attempts, generation: 1 });
  expect(dead.lastError).toBe('Error: there is no e-mail template no-such-template');
  await until(async () => (await db.job.count()) === 1, { what: 'the neighbours to be settled' });
  expect(await queues.mail.getFailedCount()).toBe(1);
  expect(redis.status).toBe('ready');
});
