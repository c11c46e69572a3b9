import { checkInvariants } from '@gatehouse/db/invariants';
import { transaction } from '@gatehouse/db/transaction';
import { newId } from '@gatehouse/domain/id';
import { until } from '@gatehouse/testing/condition';
import { createTestAccount } from '@gatehouse/testing/fixtures';
import { expect, test } from 'vitest';
import { queueEmails } from '../src/mail/queue-emails.ts';
import { findTemplate } from '../src/mail/templates.ts';
import { startStack, type TestStack } from './stack.ts';

async function start(settings: NodeJS.ProcessEnv = {}): Promise<TestStack> {
  const stack = await startStack({ settings });
  await stack.startWorker();
  return stack;
}

/** Owes a mail of a template to an address, and returns its id. */
async function owe(
  { db, ledger }: TestStack,
  recipient: string,
  template = 'order-confirmation',
  account?: string,
): Promise<string> {
  const accountId = account ?? (await createTestAccount(db)).accountId;
  const id = newId();
  const data = findTemplate(template).sample;
  const email = { id, accountId, recipient, template, data };
  await transaction(db, (tx) => queueEmails(tx, ledger, [{ requestId: null, email }]));
  return id;
}

const statusOf = async ({ db }: TestStack, id: string) =>
  (await db.email.findUniqueOrThrow({ where: { id } })).status;

const attemptsOf = async ({ db }: TestStack, emailId: string) =>
  (await db.emailAttempt.findMany({ where: { emailId }, orderBy: { id: 'asc' } })).map(
    ({ outcome, replyCode }) => `${outcome} ${replyCode}`,
  );

async function expectInvariants({ db }: TestStack): Promise<void> {
  const broken = (await checkInvariants(db)).filter(({ violations }) => violations.length > 0);
  expect(broken).toEqual([]);
}

test('a mail that is put off has every attempt written down, and what the server said', async () => {
  const all = await start();
  all.smtp.answer('full@a.test', { code: 452, text: '4.2.2 mailbox full' });
  const id = await owe(all, 'full@a.test');
  await until(async () => (await attemptsOf(all, id)).length >= 2, { what: 'two attempts' });
  expect(await statusOf(all, id)).toBe('queued');
  all.smtp.answer('full@a.test', 'accept');
  await all.allSettled();
  const attempts = await attemptsOf(all, id);
  expect(attempts.slice(0, 2)).toEqual(['deferred 452', 'deferred 452']);
  expect(attempts.at(-1)).toBe('accepted 250');
  expect(attempts.filter((attempt) => attempt.startsWith('accepted'))).toHaveLength(1);
  const [first] = await all.db.emailAttempt.findMany({
    where: { emailId: id },
    orderBy: { id: 'asc' },
  });
  expect(first?.reply).toBe('452 4.2.2 mailbox full');
  expect(await statusOf(all, id)).toBe('sent');
  await expectInvariants(all);
});

test('a hard bounce fails the mail, and its address gets no more, save what keeps the account its own', async () => {
  const all = await start();
  const { accountId } = await createTestAccount(all.db);
  all.smtp.answer('Gone@a.test', { code: 550, text: '5.1.1 no such user' });
  const bounced = await owe(all, 'Gone@a.test');
  await all.allSettled();
  expect([await statusOf(all, bounced), await attemptsOf(all, bounced)]).toEqual([
    'failed',
    ['refused 550'],
  ]);
  expect(await all.db.emailSuppression.findMany()).toMatchObject([
    { address: 'gone@a.test', reason: '550 5.1.1 no such user', emailId: bounced },
  ]);

  const asked = all.smtp.asked;
  const suppressed = await owe(all, 'gONE@a.test');
  const reminder = await owe(all, 'gone@a.test', 'task-reminder');
  await all.allSettled();
  expect([await statusOf(all, suppressed), await statusOf(all, reminder)]).toEqual([
    'suppressed',
    'suppressed',
  ]);
  expect(all.smtp.asked).toBe(asked);

  all.smtp.answer('Gone@a.test', 'accept');
  const security = await owe(all, 'Gone@a.test', 'password-changed', accountId);
  await all.allSettled();
  expect(await statusOf(all, security)).toBe('sent');
  await expectInvariants(all);
});

test('a mail that is refused for what it is fails alone: its address gets others', async () => {
  const all = await start();
  all.smtp.answer('strict@a.test', { code: 552, text: '5.2.3 too large' });
  const refused = await owe(all, 'strict@a.test');
  await all.allSettled();
  expect([await statusOf(all, refused), await attemptsOf(all, refused)]).toEqual([
    'failed',
    ['refused 552'],
  ]);
  all.smtp.answer('strict@a.test', 'accept');
  const other = await owe(all, 'strict@a.test');
  await all.allSettled();
  expect(await statusOf(all, other)).toBe('sent');
  expect(await all.db.emailSuppression.count()).toBe(0);
  await expectInvariants(all);
});

test.each(['5.7.1 relay access denied', '5.7.1 you are blocked', '5.4.5 daily quota exceeded'])(
  'a mail that is refused for what we are is not lost: %s',
  async (text) => {
    const all = await start();
    all.smtp.answer('ada@a.test', { code: 550, text });
    const id = await owe(all, 'ada@a.test');
    await until(async () => (await attemptsOf(all, id)).length >= 2, { what: 'two attempts' });
    expect(await statusOf(all, id)).toBe('queued');
    all.smtp.answer('ada@a.test', 'accept');
    await all.allSettled();
    expect(await statusOf(all, id)).toBe('sent');
    expect((await attemptsOf(all, id)).slice(0, 2)).toEqual(['deferred 550', 'deferred 550']);
    expect(await all.db.emailSuppression.count()).toBe(0);
    await expectInvariants(all);
  },
);

test('a recipient that is not one address goes to nobody', async () => {
  const all = await start();
  const evil = [
    'a@b.test, x@y.test',
    'a@b.test\r\nBcc: x@y.test',
    'a@b.test> RCPT TO:<x@y.test',
    '"a b"@b.test',
    'Ada <a@b.test>',
    'a@b@c.test',
    'nobody',
    'a@b.test\u2028x',
    ' ',
  ];
  const ids = await Promise.all(evil.map((recipient) => owe(all, recipient)));
  await all.allSettled();
  for (const id of ids) expect(await statusOf(all, id)).toBe('failed');
  expect([all.smtp.asked, all.smtp.attempts, await all.db.emailSuppression.count()]).toEqual([
    0, 0, 0,
  ]);
});

test('who wants no reminders gets none, and all else', async () => {
  const all = await start();
  const { accountId } = await createTestAccount(all.db);
  await all.db.emailOptOut.createMany({ data: [{ accountId, category: 'reminders' }] });
  const reminder = await owe(all, 'ada@a.test', 'task-reminder', accountId);
  const confirmation = await owe(all, 'ada@a.test', 'order-confirmation', accountId);
  const others = await owe(all, 'bob@a.test', 'task-reminder');
  await all.allSettled();
  expect(await statusOf(all, reminder)).toBe('canceled');
  expect(await attemptsOf(all, reminder)).toEqual([]);
  expect([await statusOf(all, confirmation), await statusOf(all, others)]).toEqual([
    'sent',
    'sent',
  ]);
  expect([...all.smtp.recipients].sort()).toEqual(['ada@a.test', 'bob@a.test']);
});

test('a reminder says how to end reminders with one click; other mails do not', async () => {
  const all = await start({ PUBLIC_URL: 'https://gate.example' });
  const reminder = await owe(all, 'ada@a.test', 'task-reminder');
  await all.allSettled();
  const confirmation = await owe(all, 'ada@a.test', 'order-confirmation');
  await all.allSettled();
  expect(await all.db.email.findUnique({ where: { id: confirmation } })).toMatchObject({
    unsubscribeToken: null,
  });
  const { unsubscribeToken } = await all.db.email.findUniqueOrThrow({ where: { id: reminder } });
  // Random, all of it: a mail's id is no secret.
  expect(unsubscribeToken).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4/);
  const headers = all.smtp.received.map((mail) =>
    Object.fromEntries(mail.headers.map(({ key, value }) => [key, value])),
  );
  expect(headers[0]).toMatchObject({
    'list-unsubscribe': `<https://gate.example/unsubscribe/${unsubscribeToken}>`,
    'list-unsubscribe-post': 'List-Unsubscribe=One-Click',
    'auto-submitted': 'auto-generated',
  });
  expect(headers[1]).toMatchObject({ 'auto-submitted': 'auto-generated' });
  expect(Object.keys(headers[1] ?? {}).filter((key) => key.startsWith('list-'))).toEqual([]);
});

test('a domain that takes its time gets ten at once, and the mails of others go on', async () => {
  const all = await startStack();
  // The server could not tell mails that were given up from those that are under way.
  const SMTP_URL = `${all.smtp.url}?socketTimeout=55000`;
  await all.startWorker({ WORKER_CONCURRENCY: '64', SMTP_URL });
  all.smtp.answer('slow.test', 'hang');
  for (let n = 0; n < 30; n += 1) await owe(all, `${n}@slow.test`);
  await until(() => all.smtp.mostAtOnce('slow.test') === 10, { what: 'ten at once' });
  const others = await Promise.all(Array.from({ length: 30 }, (_, n) => owe(all, `${n}@ok.test`)));
  await until(() => all.smtp.received.length === 30, { what: 'the mails of others' });
  // No mail of the slow domain was waited for.
  expect(all.smtp.recipients.every((recipient) => recipient.endsWith('@ok.test'))).toBe(true);
  all.smtp.answer('slow.test', 'accept');
  await all.allSettled(30_000);
  expect(all.smtp.mostAtOnce('slow.test')).toBe(10);
  for (const id of others) expect(await attemptsOf(all, id)).toEqual(['accepted 250']);
  expect(new Set(all.smtp.recipients).size).toBe(60);
  await expectInvariants(all);
});

test('a domain that asks for a pause gets one: few tries, and no attempt is counted for those that wait', async () => {
  const all = await start();
  all.smtp.answer('busy.test', { code: 421, text: '4.7.0 too many mails' });
  const ids = await Promise.all(Array.from({ length: 40 }, (_, n) => owe(all, `${n}@busy.test`)));
  await until(async () => (await all.db.job.count({ where: { state: 'waiting' } })) === 40, {
    what: 'all to wait',
  });
  const tried = await all.db.emailAttempt.count();
  // Those that were under way when the first was answered, and few after them.
  expect(tried).toBeLessThan(30);
  expect(await all.db.job.count({ where: { attempts: 0 } })).toBeGreaterThan(10);
  const other = await owe(all, 'ada@ok.test');
  await until(async () => (await statusOf(all, other)) === 'sent', { what: 'the other mail' });
  all.smtp.answer('busy.test', 'accept');
  await all.allSettled(40_000);
  for (const id of ids) expect(await statusOf(all, id)).toBe('sent');
  await expectInvariants(all);
});

test('a mail server that is not there is nobody’s bounce', async () => {
  const all = await startStack();
  const { url } = all.smtp;
  await all.smtp.close();
  await all.startWorker({ SMTP_URL: url });
  const id = await owe(all, 'ada@a.test');
  await until(async () => (await attemptsOf(all, id)).length >= 2, { what: 'two attempts' });
  expect(new Set(await attemptsOf(all, id))).toEqual(new Set(['deferred null']));
  expect([await statusOf(all, id), await all.db.emailSuppression.count()]).toEqual(['queued', 0]);
});
