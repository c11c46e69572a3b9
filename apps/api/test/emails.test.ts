import type { Database } from '@gatehouse/db/client';
import type { EmailStatus } from '@gatehouse/db/email-reads';
import { newId } from '@gatehouse/domain/id';
import { until } from '@gatehouse/testing/condition';
import { addDeadJobs } from '@gatehouse/testing/dead-jobs';
import { beforeAll, beforeEach, expect, onTestFinished, test, vi } from 'vitest';
import { afterFile, type Gateway, startGateway } from './harness.ts';
import { newPerson, type Person } from './people.ts';

let gateway: Gateway;
let db: Database;
let ada: Person;
let admin: Person;
let operator: Person;
beforeAll(async () => {
  gateway = await startGateway({ RATE_LIMIT_MAX: '0' }, afterFile);
  db = gateway.db;
  ada = await newPerson(gateway, 'user');
  admin = await newPerson(gateway, 'admin');
  operator = await newPerson(gateway, 'operator');
});
beforeEach(async () => {
  await db.emailSuppression.deleteMany();
  await db.emailOptOut.deleteMany();
  await db.email.deleteMany();
  await db.job.deleteMany();
});

const at = new Date('2026-11-20T08:00:00.000Z');

async function addEmail(
  status: EmailStatus,
  template = 'task-reminder',
  unsubscribeToken: string | null = null,
): Promise<string> {
  const id = newId();
  const { accountId, email: recipient } = ada;
  const data = { link: 'a secret' };
  const sentAt = status === 'sent' ? at : null;
  await db.email.createMany({
    data: [
      { id, accountId, recipient, template, data, status, createdAt: at, sentAt, unsubscribeToken },
    ],
  });
  return id;
}

/** Owes a mail its job. */
async function owe(subjectId: string, state: 'waiting' | 'dead', runAt: Date): Promise<void> {
  const [id = ''] = await addDeadJobs(db, 1);
  await db.job.update({ where: { id }, data: { name: 'send-email', subjectId, state, runAt } });
}

test('an owner lists his mails, newest first, by status and template', async () => {
  const sent = await addEmail('sent');
  const waiting = await addEmail('queued', 'order-confirmation');
  const dead = await addEmail('queued');
  const runAt = new Date('2099-01-01T00:00:00.000Z');
  await owe(waiting, 'waiting', runAt);
  await owe(dead, 'dead', runAt);
  const list = async (query = '') => (await ada.call('GET', `/v1/emails${query}`)).body;
  const ids = async (query: string) => (await list(query)).data.map(({ id }: { id: string }) => id);
  expect(await ids('')).toEqual([dead, waiting, sent]);
  expect(await ids('?status=queued')).toEqual([dead, waiting]);
  expect(await ids('?status=queued&template=order-confirmation')).toEqual([waiting]);
  expect(await ids(`?cursor=${waiting}`)).toEqual([sent]);
  const { data } = await list();
  expect(data[1]).toEqual({
    id: waiting,
    recipient: ada.email,
    template: 'order-confirmation',
    status: 'queued',
    createdAt: at.toISOString(),
    sentAt: null,
    nextAttemptAt: runAt.toISOString(),
  });
  expect(data[0].nextAttemptAt).toBeNull();
  expect(data[2]).toMatchObject({ sentAt: at.toISOString(), nextAttemptAt: null });
  expect((await ada.call('GET', '/v1/emails?status=lost')).status).toBe(400);
});

test('an owner reads every attempt of a mail, and nothing of what it shows', async () => {
  const id = await addEmail('failed');
  await db.emailAttempt.createMany({
    data: [
      { outcome: 'deferred' as const, replyCode: null, reply: 'ECONNREFUSED', durationMs: 3 },
      { outcome: 'refused' as const, replyCode: 550, reply: '550 5.1.1 nobody', durationMs: 7 },
    ].map((attempt) => ({ emailId: id, id: newId(), at, ...attempt })),
  });
  const { status, body, text } = await ada.call('GET', `/v1/emails/${id}`);
  expect(status).toBe(200);
  expect(body.attempts).toEqual([
    {
      at: at.toISOString(),
      outcome: 'deferred',
      replyCode: null,
      reply: 'ECONNREFUSED',
      durationMs: 3,
    },
    {
      at: at.toISOString(),
      outcome: 'refused',
      replyCode: 550,
      reply: '550 5.1.1 nobody',
      durationMs: 7,
    },
  ]);
  expect(text).not.toContain('a secret');
  expect((await ada.call('GET', `/v1/emails/${newId()}`)).status).toBe(404);
});

test('somebody says which mails he wants, and is asked for no less than a boolean', async () => {
  const path = '/v1/email-preferences';
  const read = async () => (await ada.call('GET', path)).body;
  expect(await read()).toEqual({ reminders: true });
  for (const reminders of [false, false, true, true, false]) {
    const answer = await ada.call('PATCH', path, { body: { reminders } });
    expect([answer.status, answer.body]).toEqual([200, { reminders }]);
    expect(await read()).toEqual({ reminders });
  }
  expect(await db.emailOptOut.findMany()).toMatchObject([
    { accountId: ada.accountId, category: 'reminders' },
  ]);
  for (const body of [{}, { reminders: 'no' }, { security: false }])
    expect((await ada.call('PATCH', path, { body })).status).toBe(400);
});

test('one click in a mail program ends reminders, as often as it likes, and none begins them again', async () => {
  const token = crypto.randomUUID();
  await addEmail('sent', 'task-reminder', token);
  const url = `/unsubscribe/${token}`;
  const optOuts = () => db.emailOptOut.count({ where: { accountId: ada.accountId } });
  const page = await gateway.call('GET', url);
  expect([page.status, page.headers.get('content-type')]).toEqual([
    200,
    'text/html; charset=utf-8',
  ]);
  expect(page.text).toContain(`<form method="post" action="${url}">`);
  expect(page.text).not.toContain(ada.email);
  // Whoever only looks has changed nothing.
  expect(await optOuts()).toBe(0);

  const bodies = [
    ['application/x-www-form-urlencoded', 'List-Unsubscribe=One-Click'],
    ['application/x-www-form-urlencoded', 'subscribe=on'],
    [
      'multipart/form-data; boundary=b',
      '--b\r\ncontent-disposition: form-data; name="List-Unsubscribe"\r\n\r\nOne-Click\r\n--b--\r\n',
    ],
  ] as const;
  for (const [type, body] of bodies) {
    const answer = await gateway.call('POST', url, { body, headers: { 'content-type': type } });
    expect([answer.status, answer.headers.get('set-cookie'), await optOuts()]).toEqual([
      200,
      null,
      1,
    ]);
    expect(answer.text).toContain('You get no more reminders');
  }
  await db.emailOptOut.deleteMany();
  expect([(await gateway.call('POST', url)).status, await optOuts()]).toEqual([200, 1]);
});

test('of mails that are no reminders, or are none, nobody unsubscribes', async () => {
  const ofConfirmation = crypto.randomUUID();
  await addEmail('sent', 'order-confirmation', ofConfirmation);
  for (const [token, status] of [
    [ofConfirmation, 404],
    // Of a mail, which more people see than its reader.
    [await addEmail('sent', 'task-reminder', crypto.randomUUID()), 404],
    [newId(), 404],
    ['x', 400],
  ] as const) {
    const url = `/unsubscribe/${token}`;
    expect((await gateway.call('GET', url)).status).toBe(status);
    expect((await gateway.call('POST', url)).status).toBe(status);
  }
  expect(await db.emailOptOut.count()).toBe(0);
});

test('the access log does not show how somebody unsubscribes', async () => {
  const { app } = gateway;
  const lines: unknown[] = [];
  onTestFinished(() => void vi.restoreAllMocks());
  const child = app.log.child.bind(app.log);
  vi.spyOn(app.log, 'child').mockImplementation((...of) => {
    const made = child(...of);
    vi.spyOn(made, 'info').mockImplementation((details: unknown) => void lines.push(details));
    return made;
  });
  const token = crypto.randomUUID();
  await gateway.call('POST', `/unsubscribe/${token}`);
  await gateway.call('PUT', `/Unsubscribe/${token}/?x`);
  expect((await gateway.call('GET', `/%75nsubscribe/${token}`)).status).toBe(404);
  await gateway.call('PUT', `/%55nsub%73cribe/%0a${token}`);
  await gateway.call('GET', '/v1/emails?limit=1&status=%73ent');
  await until(() => lines.length === 5, { what: 'a line for each' });
  expect(JSON.stringify(lines)).not.toContain(token);
  expect(lines).toMatchObject([
    { url: '/unsubscribe/…' },
    { url: '/Unsubscribe/…' },
    { url: '/unsubscribe/…' },
    { url: '/Unsubscribe/…' },
    { url: '/v1/emails?limit=1&status=%73ent' },
  ]);
});

const SUPPRESSIONS = '/v1/admin/email-suppressions';

test('operators list addresses that refuse mail, newest first, page by page', async () => {
  const later = new Date(at.getTime() + 1);
  await db.emailSuppression.createMany({
    data: [
      { address: 'a@example.com', reason: '550 a', createdAt: at },
      { address: 'b_2@example.com', reason: '550 b', createdAt: later },
      { address: 'c@example.com', reason: '550 c', createdAt: at },
    ],
  });
  const list = async (query = '') => (await operator.call('GET', SUPPRESSIONS + query)).body;
  const seen: string[] = [];
  let cursor: string | null = null;
  do {
    const page = await list(
      `?limit=1${cursor === null ? '' : `&cursor=${encodeURIComponent(cursor)}`}`,
    );
    seen.push(...page.data.map(({ address }: { address: string }) => address));
    cursor = page.nextCursor;
    expect(page.hasMore).toBe(cursor !== null);
  } while (cursor !== null && seen.length < 5);
  expect(seen).toEqual(['b_2@example.com', 'a@example.com', 'c@example.com']);
  expect((await list('?address=C@Example.com')).data).toEqual([
    { address: 'c@example.com', reason: '550 c', emailId: null, createdAt: at.toISOString() },
  ]);
  expect((await operator.call('GET', `${SUPPRESSIONS}?cursor=x`)).status).toBe(400);
});

test('an admin has an address get mail again, which is written down; an operator does not', async () => {
  const address = "o'neill+x@example.com";
  await db.emailSuppression.createMany({ data: [{ address, reason: '550 5.1.1 nobody' }] });
  const path = `${SUPPRESSIONS}/${encodeURIComponent(address.toUpperCase())}`;
  expect((await operator.call('DELETE', path)).status).toBe(403);
  expect((await admin.call('DELETE', path)).status).toBe(204);
  expect((await admin.call('DELETE', path)).status).toBe(404);
  expect(await db.emailSuppression.count()).toBe(0);
  expect(await db.auditEntry.findMany({ where: { subjectId: address } })).toMatchObject([
    {
      action: 'email_suppression.deleted',
      actorId: admin.userId,
      details: { reason: '550 5.1.1 nobody' },
    },
  ]);
});
