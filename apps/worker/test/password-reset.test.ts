import { insertResetRequest, insertResetToken, resetPassword } from '@gatehouse/db/password-resets';
import { transaction } from '@gatehouse/db/transaction';
import { updateUser } from '@gatehouse/db/user-changes';
import { newId } from '@gatehouse/domain/id';
import { hashSecretToken, newSecretToken } from '@gatehouse/domain/secret-token';
import { announcePasswordChange } from '@gatehouse/jobs/definitions/announce-password-change';
import { requestPasswordReset } from '@gatehouse/jobs/definitions/request-password-reset';
import { until } from '@gatehouse/testing/condition';
import { createTestAccount } from '@gatehouse/testing/fixtures';
import { pino } from 'pino';
import { expect, test } from 'vitest';
import { composeEmail } from '../src/mail/compose-email.ts';
import { queueEmails } from '../src/mail/queue-emails.ts';
import { passwordReset } from '../src/mail/templates/password-reset.ts';
import { createCleanCredentials } from '../src/processors/clean-credentials.ts';
import { startStack, type TestStack } from './stack.ts';

const PUBLIC_URL = 'https://gatehouse.example';

/** As the gateway does when somebody says that he forgot his password. */
async function forget({ db, ledger }: TestStack, email: string): Promise<void> {
  const id = newId();
  await transaction(db, async (tx) => {
    await insertResetRequest(tx, { id, email });
    await ledger.enqueue(tx, requestPasswordReset, { resetRequestId: id }, { requestId: 'asked' });
  });
}

async function newUser({ db }: TestStack) {
  const { accountId } = await createTestAccount(db);
  return db.user.findUniqueOrThrow({ where: { accountId } });
}

type User = Awaited<ReturnType<typeof newUser>>;

/** The tokens of the mails that have arrived. */
const tokens = ({ smtp }: TestStack, page = `${PUBLIC_URL}/password-reset`): string[] =>
  smtp.received.map(({ text = '', html = '' }) => {
    const [link = ''] = /https?:\S+/.exec(text) ?? [];
    expect(html).toContain(`href="${link}"`);
    const [before, token = ''] = link.split('#token=');
    expect(before).toBe(page);
    expect(token).toMatch(/^[A-Za-z0-9_-]{43}$/);
    return token;
  });

const use = ({ db }: TestStack, { id }: User, token: string) =>
  transaction(db, (tx) => resetPassword(tx, id, hashSecretToken(token), 'set by the token'));

const expectNothingOpen = async ({ db }: TestStack) =>
  expect(await db.passwordResetRequest.count()).toBe(0);

test('who forgot his password gets a mail with a link that works once, and no row holds its secret', async () => {
  const stack = await startStack();
  const { db, smtp } = stack;
  const [user, other] = [await newUser(stack), await newUser(stack)];
  await stack.startWorker({ PUBLIC_URL });
  await forget(stack, user.email);
  await stack.allSettled();
  await expectNothingOpen(stack);
  expect(smtp.received.map(({ to, subject }) => [to?.[0]?.address, subject])).toEqual([
    [user.email, 'Reset your password'],
  ]);
  const [token = ''] = tokens(stack);
  expect(await db.email.findMany()).toMatchObject([{ data: {}, status: 'sent' }]);
  expect(await db.auditEntry.findMany()).toMatchObject([
    { action: 'password.reset_requested', actorId: null, subjectId: user.id, requestId: 'asked' },
  ]);
  const [stored, ...others] = await db.passwordResetToken.findMany();
  expect(others).toEqual([]);
  expect(Buffer.from(stored?.hash ?? [])).toEqual(hashSecretToken(token));
  const hourMs = (stored?.expiresAt.getTime() ?? 0) - Date.now();
  expect(hourMs).toBeGreaterThan(3_500_000);
  expect(hourMs).toBeLessThanOrEqual(3_600_000);

  expect(await use(stack, other, token)).toBe(false);
  expect(await use(stack, user, token)).toBe(true);
  expect(await use(stack, user, token)).toBe(false);
});

test('the link leads to another page when there is one', async () => {
  const stack = await startStack();
  const { email } = await newUser(stack);
  await stack.startWorker({
    PUBLIC_URL,
    PASSWORD_RESET_URL: 'https://app.example/new-password?a=b',
  });
  await forget(stack, email);
  await stack.allSettled();
  expect(tokens(stack, 'https://app.example/new-password?a=b')).toHaveLength(1);
});

test("nobody's address, and that of somebody who is deactivated, get no mail and leave nothing", async () => {
  const stack = await startStack();
  const { db, smtp } = stack;
  const { id, email } = await newUser(stack);
  await db.user.update({ where: { id }, data: { deactivatedAt: new Date() } });
  await stack.startWorker();
  for (const address of ['nobody@example.test', email]) await forget(stack, address);
  await stack.allSettled();
  await expectNothingOpen(stack);
  expect([smtp.attempts, await db.email.count(), await db.passwordResetToken.count()]).toEqual([
    0, 0, 0,
  ]);
});

test('however often it is asked for, an inbox gets three mails in a quarter of an hour', async () => {
  const stack = await startStack();
  const { db, smtp } = stack;
  const [ada, bob] = [await newUser(stack), await newUser(stack)];
  await Promise.all([stack.startWorker(), stack.startWorker()]);
  await Promise.all(Array.from({ length: 12 }, () => forget(stack, ada.email)));
  await forget(stack, bob.email);
  await stack.allSettled();
  await expectNothingOpen(stack);
  const recipients = () => smtp.received.map(({ to }) => to?.[0]?.address).sort();
  expect(recipients()).toEqual([ada.email, ada.email, ada.email, bob.email].sort());

  await db.$executeRaw`UPDATE email SET created_at = created_at - interval '15 minutes'`;
  await forget(stack, ada.email);
  await stack.allSettled();
  expect(recipients().filter((address) => address === ada.email)).toHaveLength(4);
});

test('a mail that is sent again because nobody knows whether it was brings another token; both work until one is used', async () => {
  const stack = await startStack();
  const { db, smtp } = stack;
  const user = await newUser(stack);
  // What dies between the OK of the server and its commit leaves the mail sent and the job owed: as if the commit
  // had never come.
  const refused = await db.$executeRaw`
    CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'no commit'; END $$`;
  expect(refused).toBe(0);
  await db.$executeRaw`
    CREATE TRIGGER refuse BEFORE UPDATE ON email FOR EACH ROW EXECUTE FUNCTION refuse()`;
  await stack.startWorker({ PUBLIC_URL });
  await forget(stack, user.email);
  await until(() => smtp.received.length > 1, { what: 'the second mail', timeoutMs: 30_000 });
  await db.$executeRaw`DROP TRIGGER refuse ON email`;
  await stack.allSettled();

  const sent = tokens(stack);
  expect(sent.length).toBeGreaterThanOrEqual(2);
  expect(new Set(sent).size).toBe(sent.length);
  expect(new Set(smtp.received.map(({ messageId }) => messageId)).size).toBe(1);
  expect(await db.passwordResetToken.count()).toBe(sent.length);
  const [first = '', second = ''] = sent;
  expect(await use(stack, user, second)).toBe(true);
  expect(await use(stack, user, first)).toBe(false);
});

test('a mail that waits is not sent to an address that is no longer his, nor after his password was set', async () => {
  const stack = await startStack();
  const { db, smtp, ledger } = stack;
  const [moved, unaware, done] = [await newUser(stack), await newUser(stack), await newUser(stack)];
  const mails = [moved, unaware, done].map(({ accountId, email: recipient }) =>
    composeEmail(passwordReset, { accountId, recipient, data: {} }),
  );
  await transaction(db, (tx) =>
    queueEmails(
      tx,
      ledger,
      mails.map((email) => ({ email, requestId: null })),
    ),
  );
  await transaction(db, (tx) => updateUser(tx, moved.id, { email: 'right@example.test' }));
  // As if the address had been changed while the mail was being sent.
  await db.user.update({ where: { id: unaware.id }, data: { email: 'other@example.test' } });
  const token = newSecretToken();
  await insertResetToken(db, done, hashSecretToken(token), 60);
  expect(await use(stack, done, token)).toBe(true);

  await stack.startWorker({ PUBLIC_URL });
  await stack.allSettled();
  expect(smtp.received).toEqual([]);
  expect(await db.passwordResetToken.count()).toBe(0);
  const statuses = (await db.email.findMany()).map(({ status }) => status);
  expect(statuses).toEqual(['canceled', 'canceled', 'canceled']);
});

test('a user is told once of each change of his password, with its time', async () => {
  const stack = await startStack();
  const { db, smtp, ledger } = stack;
  const { id: userId, email } = await newUser(stack);
  const times = ['2026-11-20T08:00:00.000Z', '2026-11-20T09:00:00.000Z'];
  await transaction(db, (tx) =>
    ledger.enqueueAll(
      tx,
      announcePasswordChange,
      [
        ...times.map((changedAt) => ({ userId, changedAt })),
        { userId: newId(), changedAt: 'x' },
      ].map((payload) => ({ payload, requestId: null })),
    ),
  );
  await Promise.all([stack.startWorker(), stack.startWorker()]);
  await stack.allSettled();
  const mails = smtp.received.map(({ to, subject, text }) => [
    to?.[0]?.address,
    subject,
    times.find((time) => text?.includes(time)),
  ]);
  expect(mails.toSorted()).toEqual(
    times.map((time) => [email, 'Your password was changed', time]).toSorted(),
  );
});

test('workers delete sessions and tokens that have run out, and no others', async () => {
  const stack = await startStack();
  const { db } = stack;
  const { id: userId } = await newUser(stack);
  const at = (ms: number) => new Date(Date.now() + ms);
  const session = (ms: number) => ({
    id: newId(),
    userId,
    address: '127.0.0.1',
    expiresAt: at(ms),
    endsAt: at(ms),
  });
  const token = (name: string, ms: number) => ({
    hash: hashSecretToken(name),
    userId,
    expiresAt: at(ms),
  });
  const [live, kept] = [session(60_000), token('live', 60_000)];
  const expired = Array.from({ length: 1_200 }, (_, index) => index);
  await db.session.createMany({ data: [live, ...expired.map(() => session(-1_000))] });
  await db.passwordResetToken.createMany({
    data: [kept, ...expired.map((index) => token(`${index}`, -1_000))],
  });
  const round = createCleanCredentials({ db });
  await round.run({ signal: AbortSignal.abort(), log: pino({ level: 'silent' }) });
  expect(await db.session.count()).toBe(expired.length + 1);

  await Promise.all([stack.startWorker(), stack.startWorker()]);
  await until(
    async () => (await db.session.count()) + (await db.passwordResetToken.count()) === 2,
    { what: 'the expired ones to be gone' },
  );
  expect(await db.session.findMany()).toMatchObject([{ id: live.id }]);
  expect((await db.passwordResetToken.findMany()).map(({ hash }) => Buffer.from(hash))).toEqual([
    kept.hash,
  ]);
});
