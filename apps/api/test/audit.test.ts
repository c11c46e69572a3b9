import { addDeadJobs } from '@gatehouse/testing/dead-jobs';
import { expect, test } from 'vitest';
import { openBoard, oweTrades } from './board-page.ts';
import { freshKey, type Gateway, startGateway } from './harness.ts';
import { bearer, newPerson, type Person } from './people.ts';
import { addStripeEvents } from './stripe-events.ts';

const audit = '/v1/admin/audit';
const users = '/v1/users';

/** What the log says, oldest first. */
async function entries({ call }: Person, query = '') {
  const { status, body } = await call('GET', `${audit}?limit=100${query}`);
  expect(status).toBe(200);
  return body.data.reverse();
}

/** The same, of what was done since. */
async function follow(admin: Person) {
  const before = (await entries(admin)).length;
  return async () => (await entries(admin)).slice(before);
}

test('what is done to a user is written down: who did it, from where, and what changed', async () => {
  const gateway = await startGateway({ PAPER_STARTING_CASH: '0' });
  const admin = await newPerson(gateway, 'admin');
  const since = await follow(admin);
  const key = freshKey();
  const body = { email: 'bob@example.com', name: 'Bob', password: 'battery staple' };
  const headers = { ...key, 'x-request-id': 'make-bob', 'user-agent': 'a browser' };
  const { id } = (await admin.call('POST', users, { body, headers })).body;
  await admin.call('POST', users, { body, headers: key });
  const path = `${users}/${id}`;
  const patch = (change: object) => admin.call('PATCH', path, { body: change });
  await patch({ name: 'Robert', email: 'Robert@example.com' });
  await patch({ name: 'Robert', active: true, role: 'user' });
  await patch({ email: admin.email });
  await patch({ role: 'operator', active: false });
  await patch({ active: true });
  await admin.call('DELETE', path);
  const { rows, ids } = { rows: await since(), ids: new Set<string>() };
  const { id: sessionId } = await gateway.db.session.findFirstOrThrow({
    where: { userId: admin.userId },
    orderBy: { id: 'desc' },
  });
  for (const row of rows) {
    expect(row).toMatchObject({ actorId: admin.userId, credential: 'session' });
    expect(row).toMatchObject({ credentialId: sessionId, subjectType: 'user', subjectId: id });
    expect(row).toMatchObject({ address: '127.0.0.1', at: expect.stringMatching(/Z$/) });
    ids.add(row.id);
  }
  expect(ids.size).toBe(6);
  expect(rows[0]).toMatchObject({ requestId: 'make-bob', userAgent: 'a browser' });
  expect(rows.map(({ action, details }: Record<string, unknown>) => [action, details])).toEqual([
    ['user.created', { email: 'bob@example.com', name: 'Bob', role: 'user' }],
    [
      'user.updated',
      {
        nameFrom: 'Bob',
        nameTo: 'Robert',
        emailFrom: 'bob@example.com',
        emailTo: 'robert@example.com',
      },
    ],
    ['user.role_changed', { from: 'user', to: 'operator' }],
    ['user.deactivated', {}],
    ['user.reactivated', {}],
    // He was told of his changes: his account stays.
    ['user.deactivated', {}],
  ]);
});

test('who is deleted with his account is written down as he was', async () => {
  const gateway = await startGateway({ PAPER_STARTING_CASH: '0' });
  const admin = await newPerson(gateway, 'admin');
  const { userId, email } = await newPerson(gateway, 'user');
  const since = await follow(admin);
  expect((await admin.call('DELETE', `${users}/${userId}`)).status).toBe(204);
  const details = { email, name: 'Ada', role: 'user' };
  expect(await since()).toMatchObject([{ action: 'user.deleted', subjectId: userId, details }]);
});

test('a change and its entry are one: without the entry nothing is changed', async () => {
  const gateway = await startGateway();
  const admin = await newPerson(gateway, 'admin');
  const [job = ''] = await addDeadJobs(gateway.db, 1);
  const [event = ''] = await addStripeEvents(gateway.db, 1);
  await refuseEntries(gateway);
  const before = await gateway.db.user.findMany();
  const answers = [
    await admin.call('PATCH', `${users}/me`, { body: { name: 'Eve' } }),
    await admin.call('PATCH', `${users}/${admin.userId}`, { body: { name: 'Eve' } }),
    await admin.call('POST', users, { body: { email: 'eve@example.com', name: 'Eve' } }),
    await admin.call('POST', `/v1/admin/jobs/${job}/redrive`),
    await admin.call('POST', `/v1/admin/jobs/${job}/cancel`),
    await admin.call('POST', '/v1/admin/jobs/redrive', { body: { queue: 'mail' } }),
    await admin.call('POST', `/v1/admin/stripe-events/${event}/replay`),
  ];
  expect(answers.map(({ status }) => status)).toEqual([500, 500, 500, 500, 500, 500, 500]);
  expect(await gateway.db.user.findMany()).toEqual(before);
  expect(await gateway.db.job.findMany()).toMatchObject([{ id: job, state: 'dead' }]);
  expect(await gateway.db.stripeEvent.findMany()).toMatchObject([{ status: 'processed' }]);
});

test('what is done to jobs is written down, a dry run and what was refused is not', async () => {
  const gateway = await startGateway();
  const admin = await newPerson(gateway, 'admin');
  const [one, two] = await addDeadJobs(gateway.db, 5);
  const jobs = '/v1/admin/jobs';
  const since = await follow(admin);
  const key = bearer(
    gateway.call,
    (await admin.call('POST', '/v1/api-keys', { body: { name: 'bot' } })).body.key,
  );
  const { id: keyId } = await gateway.db.apiKey.findFirstOrThrow();
  await key('POST', `${jobs}/${one}/redrive`);
  await admin.call('POST', `${jobs}/${two}/cancel`);
  await admin.call('POST', `${jobs}/${two}/cancel`);
  await admin.call('POST', `${jobs}/redrive`, { body: { queue: 'mail', dryRun: true } });
  await admin.call('POST', `${jobs}/redrive`, { body: { queue: 'mail', name: 'send-email' } });
  const rows = (await since()).filter(({ action }: { action: string }) => /^jobs?\./.test(action));
  const about = (id?: string) => ({ subjectType: 'job', subjectId: id });
  const details = (id?: string) => ({ name: 'send-email', about: id });
  expect(rows).toMatchObject([
    { action: 'job.redriven', ...about(one), details: details(one), credential: 'api_key' },
    { action: 'job.canceled', ...about(two), details: details(two), credential: 'session' },
    { action: 'jobs.redriven', subjectType: 'queue', subjectId: 'mail', credential: 'session' },
  ]);
  expect(rows[0].credentialId).toBe(keyId);
  expect(rows[2].details).toEqual({ name: 'send-email', matched: 3, redriven: 3 });
});

test('who presses a button of the board is written down before anything happens', async () => {
  const { gateway, press } = await openBoard();
  const [job] = await oweTrades(gateway);
  const admin = await gateway.db.user.findFirstOrThrow({ where: { role: 'admin' } });
  await press(`${job?.id}-0/clean`);
  await press('retry/waiting');
  await press('pause', { queue: 'mail' });
  const acted = () =>
    gateway.db.auditEntry.findMany({ where: { action: 'board.acted' }, orderBy: { id: 'asc' } });
  const rows = await acted();
  expect(rows.map(({ subjectId, details }) => [subjectId, details])).toEqual([
    ['trades', { action: 'clean', queue: 'trades', jobId: `${job?.id}-0` }],
    ['trades', { action: 'retry', queue: 'trades', queueStatus: 'waiting' }],
    ['mail', { action: 'pause', queue: 'mail' }],
  ]);
  const who = { actorId: admin.id, credential: 'session', address: '127.0.0.1' };
  for (const row of rows) expect(row).toMatchObject({ ...who, subjectType: 'queue' });

  await refuseEntries(gateway);
  expect((await press('pause')).status).toBe(500);
  expect((await gateway.db.queuePause.findMany()).map(({ queue }) => queue)).toEqual(['mail']);
  expect(await acted()).toEqual(rows);
});

test('the log is listed newest first, page by page, and by action, actor, subject and time', async () => {
  const gateway = await startGateway();
  const admin = await newPerson(gateway, 'admin');
  const bob = await newPerson(gateway, 'user');
  await bob.call('PATCH', `${users}/me`, { body: { name: 'Bob' } });
  await admin.call('PATCH', `${users}/${bob.userId}`, { body: { name: 'Robert' } });
  const all = await entries(admin);
  const ids = async (query: string) =>
    (await entries(admin, `&${query}`)).map(({ id }: { id: string }) => id);
  const expected = (matches: (row: Record<string, string>) => boolean) => {
    const found = all.filter(matches).map(({ id }: { id: string }) => id);
    expect(found.length).toBeGreaterThan(0);
    expect(found.length).toBeLessThan(all.length);
    return found;
  };
  const updated = expected(({ action }) => action === 'user.updated');
  expect(updated).toHaveLength(2);
  expect(await ids('action=user.updated')).toEqual(updated);
  expect(await ids(`actorId=${bob.userId}`)).toEqual(
    expected(({ actorId }) => actorId === bob.userId),
  );
  expect(await ids(`subjectId=${bob.userId}`)).toEqual(
    expected(({ subjectId }) => subjectId === bob.userId),
  );
  expect(await ids(`subjectId=${bob.userId}&actorId=${admin.userId}`)).toEqual(updated.slice(1));
  const time = all.at(-2).at;
  expect(await ids(`since=${time}`)).toEqual(expected(({ at = '' }) => at >= time));
  expect(await ids(`until=${time}`)).toEqual(expected(({ at = '' }) => at < time));
  expect(await ids('action=queue.paused')).toEqual([]);

  const page = (await admin.call('GET', `${audit}?limit=2`)).body;
  expect(page).toMatchObject({ data: all.slice(-2).reverse(), hasMore: true });
  await bob.call('PATCH', `${users}/me`, { body: { name: 'Bobby' } });
  const next = (await admin.call('GET', `${audit}?limit=2&cursor=${page.nextCursor}`)).body;
  expect(next.data).toEqual(all.slice(-4, -2).reverse());

  for (const query of ['action=nothing', 'actorId=me', 'since=yesterday', 'limit=101', 'nope=1'])
    expect([query, (await admin.call('GET', `${audit}?${query}`)).status]).toEqual([query, 400]);
  const operator = await newPerson(gateway, 'operator');
  for (const { call } of [operator, bob]) expect((await call('GET', audit)).status).toBe(403);
  expect((await gateway.call('GET', audit)).status).toBe(401);
});

/** Has the database refuse new entries, as when the disk is full. */
async function refuseEntries({ db }: Gateway): Promise<void> {
  await db.$executeRaw`
    CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN RAISE EXCEPTION 'refused'; END $$`;
  await db.$executeRaw`CREATE TRIGGER refuse BEFORE INSERT ON audit_entry EXECUTE FUNCTION refuse()`;
}
