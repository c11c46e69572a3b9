import type { Database } from '@gatehouse/db/client';
import { insertResetToken } from '@gatehouse/db/password-resets';
import { hashSecretToken, newSecretToken } from '@gatehouse/domain/secret-token';
import { until } from '@gatehouse/testing/condition';
import { expect, test } from 'vitest';
import { freshKey, type Gateway, startGateway } from './harness.ts';
import { newPerson, type Person } from './people.ts';

const NEXT = 'another horse';

const forgot = ({ call }: Pick<Gateway, 'call'>, email: string) =>
  call('POST', '/v1/auth/password/forgot', { body: { email } });

const reset = ({ call }: Pick<Gateway, 'call'>, token: string, password = NEXT) =>
  call('POST', '/v1/auth/password/reset', { body: { token, password } });

const change = ({ call }: Pick<Person, 'call'>, currentPassword: string, password = NEXT) =>
  call('POST', '/v1/auth/password/change', { body: { currentPassword, password } });

const logIn = async ({ call }: Gateway, { email }: Person, password: string) =>
  (await call('POST', '/v1/auth/login', { body: { email, password } })).status;

/** As a mail would have brought it. */
async function mailedToken(db: Database, owner: Person, seconds = 3_600): Promise<string> {
  const token = newSecretToken();
  await insertResetToken(db, owner, hashSecretToken(token), seconds);
  return token;
}

const statusOf = async (call: Gateway['call']) => (await call('GET', '/v1/account')).status;

const acts = async (db: Database, action: string) => db.auditEntry.findMany({ where: { action } });

/** Jobs that owe a user a mail about his new password. */
const notices = async (db: Database, { userId }: Person) =>
  db.job.count({ where: { name: 'announce-password-change', subjectId: userId } });

test('who forgot his password gets the same answer for every address, before anybody looks whose it is', async () => {
  const gateway = await startGateway();
  const { db } = gateway;
  const ada = await newPerson(gateway, 'user');
  const gone = await newPerson(gateway, 'user');
  await db.user.update({ where: { id: gone.userId }, data: { deactivatedAt: new Date() } });
  await db.job.deleteMany();
  const addresses = [ada.email.toUpperCase(), gone.email, 'nobody@example.com'];
  const answers = await db.$transaction(async (tx) => {
    // Whoever looks for a user waits until this is over.
    await tx.$executeRaw`LOCK TABLE "user" IN ACCESS EXCLUSIVE MODE`;
    return Promise.all(addresses.map((email) => forgot(gateway, email)));
  });
  for (const { status, text, headers } of answers) {
    expect([status, text, headers.get('cache-control')]).toEqual([202, '{}', 'no-store']);
  }
  const requests = await db.passwordResetRequest.findMany();
  expect(requests.map(({ email }) => email).sort()).toEqual(
    addresses.map((address) => address.toLowerCase()).sort(),
  );
  const jobs = await db.job.findMany();
  expect(jobs.map(({ name, subjectId }) => `${name} ${subjectId}`).sort()).toEqual(
    requests.map(({ id }) => `request-password-reset ${id}`).sort(),
  );
});

test('a token sets the password, ends all sessions everywhere, and is told about once', async () => {
  const gateway = await startGateway();
  const { db } = gateway;
  const replica = await gateway.replica();
  const [ada, bob] = [await newPerson(gateway, 'user'), await newPerson(gateway, 'user')];
  const phone = await ada.again();
  const theirs = [ada.at(gateway), ada.at(replica), phone.at(gateway), phone.at(replica)];
  expect(await Promise.all(theirs.map(statusOf))).toEqual([200, 200, 200, 200]);
  const [token, other] = [await mailedToken(db, ada), await mailedToken(db, ada)];
  const bobs = await mailedToken(db, bob);

  expect((await ada.call('POST', '/v1/api-keys', { body: { name: 'bot' } })).status).toBe(201);
  expect((await reset(gateway, token)).status).toBe(204);
  expect(await db.apiKey.count({ where: { revokedAt: null } })).toBe(0);
  expect([await statusOf(ada.call), await statusOf(phone.call)]).toEqual([401, 401]);
  await until(
    async () => (await Promise.all(theirs.map(statusOf))).every((status) => status === 401),
    { what: 'the sessions to be over everywhere', timeoutMs: 10_000 },
  );
  expect(await db.session.count({ where: { userId: ada.userId } })).toBe(0);
  expect(await statusOf(bob.call)).toBe(200);
  expect([await logIn(gateway, ada, ada.password), await logIn(gateway, ada, NEXT)]).toEqual([
    401, 200,
  ]);
  expect(await notices(db, ada)).toBe(1);
  expect(await acts(db, 'password.reset')).toMatchObject([
    { actorId: null, credential: 'none', subjectId: ada.userId, address: '127.0.0.1' },
  ]);
  for (const spent of [token, other]) {
    const again = await reset(gateway, spent, 'a third horse');
    expect([again.status, again.body.code]).toEqual([400, 'reset_token_invalid']);
  }
  expect(await logIn(gateway, ada, NEXT)).toBe(200);
  expect((await reset(gateway, bobs)).status).toBe(204);
});

test('of a token that is sent twenty times at once, one is taken', async () => {
  const gateway = await startGateway();
  const { db } = gateway;
  const replica = await gateway.replica();
  const ada = await newPerson(gateway, 'user');
  // Two of them, so that they might wait for each other.
  const tokens = [await mailedToken(db, ada), await mailedToken(db, ada)];
  const passwords = Array.from({ length: 20 }, (_, index) => `horse number ${index}`);
  const statuses = await Promise.all(
    passwords.map(async (password, index) => {
      const at = index % 3 === 0 ? replica : gateway;
      return (await reset(at, tokens[index % 2] ?? '', password)).status;
    }),
  );
  expect(statuses.toSorted()).toEqual([204, ...Array(19).fill(400)]);
  expect(await logIn(gateway, ada, passwords[statuses.indexOf(204)] ?? '')).toBe(200);
  expect(await notices(db, ada)).toBe(1);
  expect(await acts(db, 'password.reset')).toHaveLength(1);
});

test('a token that is made up, has expired, or is of somebody who is deactivated does nothing', async () => {
  const gateway = await startGateway();
  const { db } = gateway;
  const [ada, gone] = [await newPerson(gateway, 'user'), await newPerson(gateway, 'user')];
  const ofGone = await mailedToken(db, gone);
  await db.user.update({ where: { id: gone.userId }, data: { deactivatedAt: new Date() } });
  const before = await db.user.findMany();
  for (const token of [newSecretToken(), '', 'x', await mailedToken(db, ada, 0), ofGone]) {
    const { status, body } = await reset(gateway, token);
    expect([status, body.code]).toEqual([400, 'reset_token_invalid']);
  }
  expect(await db.user.findMany()).toEqual(before);
  expect(await statusOf(ada.call)).toBe(200);
});

test('a password that is too easy does not cost the token', async () => {
  const gateway = await startGateway();
  const ada = await newPerson(gateway, 'user');
  const token = await mailedToken(gateway.db, ada);
  for (const easy of ['iloveyou', ada.email]) {
    const { status, body } = await reset(gateway, token, easy);
    expect([status, body.errors]).toEqual([
      400,
      [{ pointer: '/password', code: 'password_too_common', message: expect.any(String) }],
    ]);
  }
  expect(await logIn(gateway, ada, ada.password)).toBe(200);
  expect((await reset(gateway, token)).status).toBe(204);
});

test('a change of the password ends all other sessions, everywhere within a second, and reset links', async () => {
  const gateway = await startGateway();
  const { db } = gateway;
  const replica = await gateway.replica();
  const ada = await newPerson(gateway, 'user');
  const [laptop, phone] = [await ada.again(), await ada.again()];
  expect([await statusOf(phone.at(replica)), await statusOf(laptop.at(replica))]).toEqual([
    200, 200,
  ]);
  const token = await mailedToken(db, ada);

  expect((await change(laptop, ada.password)).status).toBe(204);
  expect(await statusOf(phone.call)).toBe(401);
  await until(async () => (await statusOf(phone.at(replica))) === 401, {
    what: 'the other session to be over elsewhere',
    timeoutMs: 10_000,
  });
  expect([await statusOf(laptop.call), await statusOf(laptop.at(replica))]).toEqual([200, 200]);
  expect([await logIn(gateway, ada, ada.password), await logIn(gateway, ada, NEXT)]).toEqual([
    401, 200,
  ]);
  expect((await reset(gateway, token)).status).toBe(400);
  expect(await notices(db, ada)).toBe(1);
  expect(await acts(db, 'password.changed')).toMatchObject([
    { actorId: ada.userId, credential: 'session', subjectId: ada.userId, address: '127.0.0.1' },
  ]);
});

test('to change a password takes the current one, a session, and a good new one', async () => {
  const gateway = await startGateway();
  const { db } = gateway;
  const ada = await newPerson(gateway, 'user');
  const { body } = await ada.call('POST', '/v1/api-keys', {
    body: { name: 'key' },
    headers: freshKey(),
  });
  const withKey: Gateway['call'] = (method, path, options) =>
    gateway.call(method, path, { ...options, headers: { authorization: `Bearer ${body.key}` } });
  const wrong = await change(ada, 'wrong horse');
  expect([wrong.status, wrong.body.code]).toEqual([422, 'wrong_password']);
  const easy = await change(ada, ada.password, 'password1');
  expect([easy.status, easy.body.errors[0].code]).toEqual([400, 'password_too_common']);
  expect((await change({ call: withKey }, ada.password)).status).toBe(403);
  expect((await change(gateway, ada.password)).status).toBe(401);
  expect(await acts(db, 'password.changed')).toEqual([]);
  expect(await notices(db, ada)).toBe(0);
  expect(await logIn(gateway, ada, ada.password)).toBe(200);
});

test('of ten changes at once that know the same password one is made', async () => {
  const gateway = await startGateway();
  const ada = await newPerson(gateway, 'user');
  const passwords = Array.from({ length: 10 }, (_, index) => `horse number ${index}`);
  const statuses = await Promise.all(
    passwords.map(async (password) => (await change(ada, ada.password, password)).status),
  );
  expect(statuses.toSorted()).toEqual([204, ...Array(9).fill(422)]);
  expect(await logIn(gateway, ada, passwords[statuses.indexOf(204)] ?? '')).toBe(200);
  expect(await notices(gateway.db, ada)).toBe(1);
});

test('forgetting, resetting and changing passwords count as attempts, together', async () => {
  const gateway = await startGateway();
  const ada = await newPerson(gateway, 'user');
  const limited = await gateway.replica({ RATE_LIMIT_AUTH_MAX: '3' });
  const statuses = [
    (await forgot(limited, 'nobody@example.com')).status,
    (await reset(limited, newSecretToken())).status,
    (await change({ call: ada.at(limited) }, 'wrong horse')).status,
  ];
  expect(statuses).toEqual([202, 400, 422]);
  for (const refused of [
    await forgot(limited, 'nobody@example.com'),
    await reset(limited, newSecretToken()),
    await change({ call: ada.at(limited) }, ada.password),
  ]) {
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([
      429,
      expect.stringMatching(/^\d+$/),
    ]);
  }
  expect(await gateway.db.passwordResetRequest.count()).toBe(1);
});

test('the page of the links runs a script of ours, has no token in it, and is no part of the API', async () => {
  const { call } = await startGateway();
  const page = await call('GET', '/password-reset');
  expect([page.status, page.headers.get('content-type')]).toEqual([
    200,
    'text/html; charset=utf-8',
  ]);
  expect(page.headers.get('content-security-policy')).toContain("script-src 'self';");
  expect(page.headers.get('referrer-policy')).toBe('no-referrer');
  const scripts = [...page.text.matchAll(/<script([^>]*)>([^<]*)/g)];
  expect(scripts.map(([, attributes, inline]) => [attributes, inline])).toEqual([
    [' src="/password-reset.js" defer', ''],
  ]);
  const script = await call('GET', '/password-reset.js');
  expect([script.status, script.headers.get('content-type')]).toEqual([
    200,
    'text/javascript; charset=utf-8',
  ]);
  const { paths } = (await call('GET', '/openapi.json')).body;
  expect(Object.keys(paths).filter((path) => path.startsWith('/password-reset'))).toEqual([]);
});
