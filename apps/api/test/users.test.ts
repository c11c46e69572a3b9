import { checkInvariants } from '@gatehouse/db/invariants';
import { newId } from '@gatehouse/domain/id';
import { until } from '@gatehouse/testing/condition';
import { expect, test } from 'vitest';
import { type Gateway, startGateway } from './harness.ts';
import { bearer, newPerson, type Person } from './people.ts';

const users = '/v1/users';
const PASSWORD = 'battery staple';
const BOB = { email: 'Bob@Example.com', name: 'Bob', password: PASSWORD };

async function apiKey({ call }: Person, body: object = { name: 'bot' }): Promise<string> {
  return (await call('POST', '/v1/api-keys', { body })).body.key;
}

const login = ({ call }: Gateway, email: string, password: string) =>
  call('POST', '/v1/auth/login', { body: { email, password } });

const stored = ({ db }: Gateway, id: string) => db.user.findUnique({ where: { id } });

test('somebody reads who he is, by session or by a key that may, and changes his name', async () => {
  const gateway = await startGateway();
  const ada = await newPerson(gateway, 'user');
  const read = await ada.call('GET', `${users}/me`);
  expect([read.status, read.body]).toEqual([
    200,
    {
      id: ada.userId,
      accountId: ada.accountId,
      email: ada.email,
      name: 'Ada',
      role: 'user',
      createdAt: expect.stringMatching(/^\d{4}-.*\.\d{3}Z$/),
    },
  ]);
  const headers = { 'if-none-match': read.headers.get('etag') ?? '' };
  expect((await ada.call('GET', `${users}/me`, { headers })).status).toBe(304);
  expect((await gateway.call('GET', `${users}/me`)).status).toBe(401);
  const may = bearer(gateway.call, await apiKey(ada, { name: 'may', scopes: ['account:read'] }));
  const mayNot = bearer(gateway.call, await apiKey(ada, { name: 'not', scopes: ['tasks:read'] }));
  expect((await may('GET', `${users}/me`)).body.id).toBe(ada.userId);
  expect((await mayNot('GET', `${users}/me`)).status).toBe(403);
  const open = bearer(gateway.call, await apiKey(ada));
  expect((await open('PATCH', `${users}/me`, { body: { name: 'Eve' } })).status).toBe(403);

  const renamed = await ada.call('PATCH', `${users}/me`, { body: { name: 'Countess' } });
  expect([renamed.status, renamed.body]).toEqual([200, { ...read.body, name: 'Countess' }]);
  const again = await ada.call('GET', `${users}/me`, { headers });
  expect([again.status, again.body.name]).toEqual([200, 'Countess']);
  for (const body of [{}, { name: '' }, { role: 'admin' }, { email: 'x@example.com' }]) {
    expect((await ada.call('PATCH', `${users}/me`, { body })).status).toBe(400);
  }
  expect(await stored(gateway, ada.userId)).toMatchObject({ name: 'Countess', role: 'user' });
});

test('only admins manage users', async () => {
  const gateway = await startGateway();
  const [user, operator, admin] = [
    await newPerson(gateway, 'user'),
    await newPerson(gateway, 'operator'),
    await newPerson(gateway, 'admin'),
  ];
  const other = `${users}/${admin.userId}`;
  const before = await gateway.db.user.findMany({ orderBy: { id: 'asc' } });
  for (const call of [user.call, operator.call]) {
    const statuses = [
      await call('GET', users),
      await call('POST', users, { body: BOB }),
      await call('GET', other),
      await call('PATCH', other, { body: { role: 'user' } }),
      await call('DELETE', other),
    ].map(({ status }) => status);
    expect(statuses).toEqual([403, 403, 403, 403, 403]);
  }
  expect(await gateway.db.user.findMany({ orderBy: { id: 'asc' } })).toEqual(before);
  expect((await admin.call('GET', other)).status).toBe(200);
  for (const method of ['GET', 'PATCH', 'DELETE']) {
    const body = method === 'PATCH' ? { name: 'x' } : undefined;
    const unknown = await admin.call(method, `${users}/${newId()}`, { body });
    expect([method, unknown.status, unknown.body.code]).toEqual([method, 404, 'not_found']);
  }
});

test('users are listed newest first, page by page, by role and by a part of e-mail or name', async () => {
  const gateway = await startGateway();
  const admin = await newPerson(gateway, 'admin');
  const made = [];
  for (const [email, name] of [
    ['one@example.com', 'Grace Hopper'],
    ['a_b@example.com', '100% Alan'],
    ['axb@example.com', 'back\\slash'],
    ['hopper@example.org', 'Nobody'],
  ]) {
    const { body } = await admin.call('POST', users, { body: { email, name } });
    made.push(body.id);
  }
  const [grace, underscore, backslash, nobody] = made;
  const ids = async (query: string) => {
    const { status, body } = await admin.call('GET', `${users}?${query}`);
    expect([query, status]).toEqual([query, 200]);
    return body.data.map(({ id }: { id: string }) => id);
  };
  const page = (await admin.call('GET', `${users}?limit=3`)).body;
  expect(page).toMatchObject({ hasMore: true, nextCursor: underscore });
  expect(page.data[0]).toEqual((await admin.call('GET', `${users}/${nobody}`)).body);
  expect(page.data.map(({ id }: { id: string }) => id)).toEqual([nobody, backslash, underscore]);
  await admin.call('POST', users, { body: { email: 'late@example.com', name: 'Late' } });
  expect(await ids(`limit=3&cursor=${underscore}`)).toEqual([grace, admin.userId]);

  expect(await ids('search=HOPPER')).toEqual([nobody, grace]);
  expect(await ids('search=a_b')).toEqual([underscore]);
  expect(await ids('search=%25')).toEqual([underscore]);
  expect(await ids('search=%5C')).toEqual([backslash]);
  expect(await ids('search=nowhere')).toEqual([]);
  expect(await ids('role=admin')).toEqual([admin.userId]);
  expect(await ids('role=user&search=hopper&limit=1')).toEqual([nobody]);
  expect(await ids('role=operator')).toEqual([]);
  for (const query of ['search=', 'role=king', 'limit=0', 'nope=1', 'search=%00']) {
    expect([query, (await admin.call('GET', `${users}?${query}`)).status]).toEqual([query, 400]);
  }
  expect(JSON.stringify(page)).not.toMatch(/argon2|password/i);
});

test('an admin creates a user, who logs in and has the account that a registration gives', async () => {
  const gateway = await startGateway({ PAPER_STARTING_CASH: '2500.50' });
  const admin = await newPerson(gateway, 'admin');
  const made = await admin.call('POST', users, { body: { ...BOB, role: 'operator' } });
  expect(made.status).toBe(201);
  expect(made.body).toMatchObject({ email: 'bob@example.com', role: 'operator' });
  expect(made.body).toMatchObject({ name: 'Bob', deactivatedAt: null });
  const location = made.headers.get('location') ?? '';
  expect(location).toBe(`${users}/${made.body.id}`);
  const read = await admin.call('GET', location);
  expect(read.body).toEqual(made.body);
  const headers = { 'if-none-match': read.headers.get('etag') ?? '' };
  expect((await admin.call('GET', location, { headers })).status).toBe(304);
  const { body } = await login(gateway, BOB.email, PASSWORD);
  const account = await bearer(gateway.call, body.accessToken)('GET', '/v1/account');
  expect(account.body).toMatchObject({ cash: '2500.50' });
  expect(await gateway.db.job.count()).toBe(0);

  const taken = await admin.call('POST', users, { body: { ...BOB, email: 'BOB@example.com' } });
  expect([taken.status, taken.body.code]).toEqual([409, 'email_taken']);
  const weak = await admin.call('POST', users, {
    body: { email: 'carl@example.com', name: 'Carl', password: 'carl@example.com1' },
  });
  expect([weak.status, weak.body.errors[0].pointer]).toEqual([400, '/password']);
  for (const change of [{ role: 'king' }, { password: 'short' }, { name: '' }, { id: newId() }]) {
    const { status } = await admin.call('POST', users, {
      body: { ...BOB, email: 'new@example.com', ...change },
    });
    expect(status).toBe(400);
  }
  expect(await gateway.db.user.count()).toBe(2);
});

test('who is created without a password is owed the mail with which he chooses one', async () => {
  const gateway = await startGateway();
  const admin = await newPerson(gateway, 'admin');
  const { body } = await admin.call('POST', users, {
    body: { email: 'Dora@example.com', name: 'Dora' },
    headers: { 'x-request-id': 'made-dora' },
  });
  const [request] = await gateway.db.passwordResetRequest.findMany();
  expect(request?.email).toBe('dora@example.com');
  expect(await gateway.db.job.findMany()).toMatchObject([
    { name: 'request-password-reset', subjectId: request?.id, requestId: 'made-dora' },
  ]);
  for (const password of ['', 'undefined', 'null']) {
    expect((await login(gateway, 'dora@example.com', password)).status).toBe(401);
  }
  expect((await stored(gateway, body.id))?.passwordHash).toMatch(/^\$argon2id\$/);
});

test('a change of the e-mail moves the log-in, frees the old one, and voids what was mailed to it', async () => {
  const gateway = await startGateway();
  const admin = await newPerson(gateway, 'admin');
  const { id } = (await admin.call('POST', users, { body: BOB })).body;
  const token = { hash: Buffer.from('x'), userId: id, expiresAt: new Date(Date.now() + 3_600_000) };
  await gateway.db.passwordResetToken.createMany({ data: [token] });
  const taken = await admin.call('PATCH', `${users}/${id}`, { body: { email: admin.email } });
  expect([taken.status, taken.body.code]).toEqual([409, 'email_taken']);
  expect(await gateway.db.passwordResetToken.count()).toBe(1);
  const body = { email: 'Robert@Example.com', name: 'Robert' };
  const moved = await admin.call('PATCH', `${users}/${id}`, { body });
  expect([moved.status, moved.body.email, moved.body.name]).toEqual([
    200,
    'robert@example.com',
    'Robert',
  ]);
  expect((await login(gateway, 'bob@example.com', PASSWORD)).status).toBe(401);
  expect((await login(gateway, 'robert@example.com', PASSWORD)).status).toBe(200);
  expect(await gateway.db.passwordResetToken.count()).toBe(0);
  expect((await admin.call('POST', users, { body: BOB })).status).toBe(201);
});

test('another role holds at once, for sessions and API keys, here and soon in other gateways', async () => {
  const gateway = await startGateway();
  const replica = await gateway.replica();
  const admin = await newPerson(gateway, 'admin');
  const bob = await newPerson(gateway, 'user');
  const key = await apiKey(bob);
  const statuses = async ({ call }: Pick<Gateway, 'call'>) => [
    (await bearer(call, bob.token)('GET', '/v1/admin/jobs')).status,
    (await bearer(call, key)('GET', '/v1/admin/jobs')).status,
  ];
  for (const [role, status] of [
    ['operator', 200],
    ['user', 403],
  ] as const) {
    const changed = await admin.call('PATCH', `${users}/${bob.userId}`, { body: { role } });
    expect([changed.status, changed.body.role]).toEqual([200, role]);
    expect(await statuses(gateway)).toEqual([status, status]);
    await until(async () => (await statuses(replica)).every((one) => one === status), {
      what: `the replica to know of the role ${role}`,
      timeoutMs: 5_000,
    });
  }
});

test('a deactivated user is out at once, with sessions, refresh and keys, until he is let in again', async () => {
  const gateway = await startGateway();
  const replica = await gateway.replica();
  const admin = await newPerson(gateway, 'admin');
  const bob = await newPerson(gateway, 'user');
  const key = await apiKey(bob);
  const { headers } = await login(gateway, bob.email, bob.password);
  const cookie = headers.get('set-cookie')?.split(';')[0] ?? '';
  const statuses = async ({ call }: Pick<Gateway, 'call'>) => [
    (await bearer(call, bob.token)('GET', `${users}/me`)).status,
    (await bearer(call, key)('GET', `${users}/me`)).status,
  ];
  expect([await statuses(gateway), await statuses(replica)]).toEqual([
    [200, 200],
    [200, 200],
  ]);
  const set = (active: boolean) =>
    admin.call('PATCH', `${users}/${bob.userId}`, { body: { active } });
  const off = await set(false);
  expect([off.status, typeof off.body.deactivatedAt]).toEqual([200, 'string']);
  expect(await statuses(gateway)).toEqual([401, 401]);
  await until(async () => `${await statuses(replica)}` === '401,401', {
    what: 'the replica to know',
    timeoutMs: 5_000,
  });
  const refused = await login(gateway, bob.email, bob.password);
  expect([refused.status, refused.body.code]).toEqual([401, 'invalid_credentials']);
  const refresh = await gateway.call('POST', '/v1/auth/refresh', { headers: { cookie } });
  expect(refresh.status).toBe(401);
  expect(await gateway.db.session.count({ where: { userId: bob.userId } })).toBe(0);
  // Again is no change: not even of the time.
  expect((await set(false)).body).toEqual(off.body);

  const on = await set(true);
  expect([on.status, on.body.deactivatedAt]).toEqual([200, null]);
  expect((await login(gateway, bob.email, bob.password)).status).toBe(200);
  // Sessions that are ended stay so; the key works again.
  expect(await statuses(gateway)).toEqual([401, 200]);
});

test('who has had money is deactivated when he is removed, and what he had stays', async () => {
  const gateway = await startGateway();
  const admin = await newPerson(gateway, 'admin');
  const bob = await newPerson(gateway, 'user');
  const removed = await admin.call('DELETE', `${users}/${bob.userId}`);
  expect([removed.status, removed.text]).toEqual([204, '']);
  expect((await bob.call('GET', '/v1/account')).status).toBe(401);
  const { body } = await admin.call('GET', `${users}/${bob.userId}`);
  expect([body.email, typeof body.deactivatedAt]).toEqual([bob.email, 'string']);
  expect((await admin.call('DELETE', `${users}/${bob.userId}`)).status).toBe(204);
  expect((await admin.call('GET', `${users}/${bob.userId}`)).body).toEqual(body);
  const results = await checkInvariants(gateway.db);
  expect(results.flatMap(({ violations }) => violations)).toEqual([]);
});

test('who has nothing to his name is deleted with his account; a task, or an event, is enough to stay', async () => {
  const gateway = await startGateway({ PAPER_STARTING_CASH: '0' });
  const admin = await newPerson(gateway, 'admin');
  const [bob, carl] = [await newPerson(gateway, 'user'), await newPerson(gateway, 'user')];
  const dora = await newPerson(gateway, 'user');
  expect((await dora.call('PATCH', `${users}/me`, { body: { name: 'Dora' } })).status).toBe(200);
  const key = await apiKey(bob);
  await carl.call('POST', '/v1/tasks', { body: { title: 'Buy milk' } });
  for (const { userId } of [bob, carl, dora]) {
    expect((await admin.call('DELETE', `${users}/${userId}`)).status).toBe(204);
  }
  expect(await stored(gateway, bob.userId)).toBe(null);
  expect(await gateway.db.account.findUnique({ where: { id: bob.accountId } })).toBe(null);
  expect((await bob.call('GET', `${users}/me`)).status).toBe(401);
  expect((await bearer(gateway.call, key)('GET', `${users}/me`)).status).toBe(401);
  expect((await admin.call('DELETE', `${users}/${bob.userId}`)).status).toBe(404);
  expect((await stored(gateway, carl.userId))?.deactivatedAt).toBeInstanceOf(Date);
  expect((await stored(gateway, dora.userId))?.deactivatedAt).toBeInstanceOf(Date);
  expect(await gateway.db.task.count()).toBe(1);
  const body = { email: bob.email, name: 'Another Bob' };
  expect((await admin.call('POST', users, { body })).status).toBe(201);
});
