import { newId } from '@gatehouse/domain/id';
import { testDatabase } from '@gatehouse/testing/database';
import { createTestAccount } from '@gatehouse/testing/fixtures';
import { expect, test } from 'vitest';
import type { Database } from '../src/client.ts';
import {
  type NewEmailAttempt,
  recordRefusedEmail,
  recordSentEmails,
} from '../src/email-attempts.ts';
import { insertEmails, readOutgoingEmails } from '../src/emails.ts';
import { broken, expectNoticed } from './tampering.ts';

const SENT = 'every mail that the mail server took is sent';
const FAILED = 'every mail that failed was refused';
const SUPPRESSED = 'no mail is taken to an address that refused mail before';

const attempt = (emailId: string, outcome: NewEmailAttempt['outcome']): NewEmailAttempt => ({
  id: newId(),
  emailId,
  outcome,
  replyCode: outcome === 'accepted' ? 250 : 550,
  reply: 'what it said',
  durationMs: 5,
});

/** A mail that was sent, and one that was refused by an address that is dead. */
async function mails(db: Database): Promise<{ sent: string; refused: string }> {
  const { accountId } = await createTestAccount(db);
  const [sent, refused] = [newId(), newId()];
  const add = (id: string, recipient: string) =>
    db.$transaction((tx) =>
      insertEmails(tx, [{ id, accountId, recipient, template: 'order-confirmation', data: {} }]),
    );
  await add(sent, 'ok@a.test');
  await add(refused, 'Gone@a.test');
  await db.$transaction((tx) =>
    recordRefusedEmail(tx, { attempt: attempt(refused, 'refused'), deadAddress: 'Gone@a.test' }),
  );
  await db.$transaction((tx) => recordSentEmails(tx, [attempt(sent, 'accepted')]));
  return { sent, refused };
}

const SEND_AGAIN = `UPDATE email_suppression SET created_at = now() - interval '1 hour'`;

test.each<[string, string, string[]]>([
  [
    'a mail that was taken and is queued no more',
    `UPDATE email SET status = 'canceled' WHERE status = 'sent'`,
    [SENT],
  ],
  ['a lost refusal', `DELETE FROM email_attempt WHERE outcome = 'refused'`, [FAILED]],
  ['an attempt at an address that was suppressed long before', SEND_AGAIN, [SUPPRESSED]],
])('%s is noticed', async (_, statements, expected) => {
  await expectNoticed(mails, statements, expected);
});

test('mails that a worker sent that writes no attempts down, and those that keep an account its own, are in order', async () => {
  const { db, drop } = await testDatabase();
  try {
    const { sent } = await mails(db);
    await db.emailAttempt.deleteMany({ where: { emailId: sent } });
    expect(await broken(db)).toEqual([]);
    await db.email.updateMany({ data: { template: 'password-reset' } });
    await db.$executeRawUnsafe(SEND_AGAIN);
    expect(await broken(db)).toEqual([]);
  } finally {
    await drop();
  }
});

test('a mail is read with whether its address is suppressed, in any case, and what its owner does not want', async () => {
  const { db, drop } = await testDatabase();
  try {
    const { sent, refused } = await mails(db);
    const { accountId } = await db.email.findUniqueOrThrow({ where: { id: refused } });
    const wishes = async () =>
      (await readOutgoingEmails(db, [refused, newId(), sent])).map(
        (email) => email && [email.status, email.isSuppressed, email.unwanted],
      );
    expect(await wishes()).toEqual([['failed', true, []], null, ['sent', false, []]]);
    await db.emailOptOut.createMany({ data: [{ accountId, category: 'reminders' }] });
    expect((await wishes())[2]).toEqual(['sent', false, ['reminders']]);
  } finally {
    await drop();
  }
});
