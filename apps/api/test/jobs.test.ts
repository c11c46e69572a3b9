import { checkInvariants } from '@gatehouse/db/invariants';
import type { Role } from '@gatehouse/db/users';
import { newId } from '@gatehouse/domain/id';
import { addDeadJobs } from '@gatehouse/testing/dead-jobs';
import { expect, test } from 'vitest';
import { freshKey, type Gateway, order, startGateway } from './harness.ts';
import { newPerson } from './people.ts';

type Call = Gateway['call'];

async function signedIn(gateway: Gateway, role: Role): Promise<Call> {
  return (await newPerson(gateway, role)).call;
}

const jobs = '/v1/admin/jobs';

test('operators may read what is owed, admins may change it, users may do neither', async () => {
  const gateway = await startGateway();
  const [id = ''] = await addDeadJobs(gateway.db, 1);
  const reads = [
    ['GET', jobs],
    ['GET', `${jobs}/${id}`],
  ] as const;
  const writes = [
    ['POST', `${jobs}/redrive`, { queue: 'mail', dryRun: true }],
    ['POST', `${jobs}/${id}/redrive`],
    ['POST', `${jobs}/${id}/cancel`],
  ] as const;
  const statuses = async (call: Call) => {
    const answers = [];
    for (const [method, path, body] of [...reads, ...writes])
      answers.push((await call(method, path, { body })).status);
    return answers;
  };
  const before = await gateway.db.job.findMany();
  expect(await statuses(gateway.call)).toEqual([401, 401, 401, 401, 401]);
  expect(await statuses(await signedIn(gateway, 'user'))).toEqual([403, 403, 403, 403, 403]);
  expect(await statuses(await signedIn(gateway, 'operator'))).toEqual([200, 200, 403, 403, 403]);
  expect(await gateway.db.job.findMany()).toEqual(before);
  expect(await statuses(await signedIn(gateway, 'admin'))).toEqual([200, 200, 200, 202, 202]);
  expect(await gateway.db.job.count()).toBe(0);
});

test("an admin's API key that is restricted to scopes does not reach the jobs, an open one does", async () => {
  const gateway = await startGateway();
  const admin = await signedIn(gateway, 'admin');
  const status = async (body: object) => {
    const { key } = (await admin('POST', '/v1/api-keys', { body })).body;
    const headers = { authorization: `Bearer ${key}` };
    return (await gateway.call('GET', jobs, { headers })).status;
  };
  expect(await status({ name: 'narrow', scopes: ['orders:read'] })).toBe(403);
  expect(await status({ name: 'open' })).toBe(200);
});

test('jobs are listed newest first, page by page, by state and queue', async () => {
  const gateway = await startGateway();
  const operator = await signedIn(gateway, 'operator');
  const dead = await addDeadJobs(gateway.db, 3, {
    priority: 3,
    groupKey: 'ada',
    requestId: 'request-1',
  });
  const trades = await addDeadJobs(gateway.db, 2, { queue: 'trades', name: 'execute-trade' });
  const waiting = await addDeadJobs(gateway.db, 2, {
    state: 'waiting',
    attempts: 1,
    lastError: null,
  });
  const newest = [...dead, ...trades, ...waiting].reverse();
  const list = async (query: string) => {
    const { status, body } = await operator('GET', `${jobs}${query}`);
    expect(status).toBe(200);
    const { data, ...rest } = body;
    return { ids: data.map(({ id }: { id: string }) => id), ...rest };
  };
  const first = await list('?limit=4');
  expect(first).toEqual({ ids: newest.slice(0, 4), hasMore: true, nextCursor: newest[3] });
  await addDeadJobs(gateway.db, 1, { queue: 'tasks' });
  const second = await list(`?limit=4&cursor=${first.nextCursor}`);
  expect(second).toEqual({ ids: newest.slice(4), hasMore: false, nextCursor: null });
  expect((await list('?state=waiting')).ids).toEqual([...waiting].reverse());
  expect((await list('?queue=trades')).ids).toEqual([...trades].reverse());
  expect((await list('?state=dead&queue=mail')).ids).toEqual([...dead].reverse());
  expect((await list('?state=dispatched')).ids).toEqual([]);
  for (const query of ['?state=lost', '?queue=nowhere', '?nope=1', '?limit=101'])
    expect([query, (await operator('GET', jobs + query)).status]).toEqual([query, 400]);

  const id = dead[0] ?? '';
  const { createdAt, dispatchedAt } = await gateway.db.job.findUniqueOrThrow({ where: { id } });
  const one = await operator('GET', `${jobs}/${id}`);
  expect(one.body).toEqual({
    id,
    queue: 'mail',
    name: 'send-email',
    subjectId: id,
    payload: { emailId: id },
    state: 'dead',
    priority: 3,
    groupKey: 'ada',
    attempts: 110,
    generation: 110,
    lastError: 'Error: 451 mailbox unavailable',
    requestId: 'request-1',
    runAt: '2026-11-20T08:00:00.000Z',
    createdAt: createdAt.toISOString(),
    dispatchedAt: dispatchedAt.toISOString(),
  });
  const headers = { 'if-none-match': one.headers.get('etag') ?? '' };
  expect((await operator('GET', `${jobs}/${id}`, { headers })).status).toBe(304);
  const missing = await operator('GET', `${jobs}/${newId()}`);
  expect([missing.status, missing.body.code]).toEqual([404, 'not_found']);
});

test('a redrive gives a dead job its attempts anew, under one key once, and not while it runs', async () => {
  const gateway = await startGateway();
  const admin = await signedIn(gateway, 'admin');
  const [id = ''] = await addDeadJobs(gateway.db, 1);
  const redrive = (headers = {}) => admin('POST', `${jobs}/${id}/redrive`, { headers });
  const since = Date.now();
  const key = freshKey();
  const redriven = await redrive(key);
  expect(redriven.status).toBe(202);
  expect(redriven.body).toMatchObject({ id, state: 'waiting', attempts: 0, generation: 111 });
  expect(Date.parse(redriven.body.runAt)).toBeGreaterThanOrEqual(since - 1_000);
  expect((await admin('GET', `${jobs}/${id}`)).body).toEqual(redriven.body);

  await gateway.db.job.updateMany({ data: { state: 'dead', attempts: 110 } });
  const replay = await redrive(key);
  expect([replay.text, replay.headers.get('idempotent-replayed')]).toEqual([redriven.text, 'true']);
  expect(await gateway.db.job.findMany()).toMatchObject([{ state: 'dead', generation: 111 }]);

  const answers = await Promise.all(Array.from({ length: 20 }, () => redrive(freshKey())));
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([202]));
  expect(await gateway.db.job.findMany()).toMatchObject([{ state: 'waiting', generation: 112 }]);

  await gateway.db.job.updateMany({ data: { state: 'dispatched', attempts: 3 } });
  for (const [action, code] of [
    ['redrive', 'job_not_redrivable'],
    ['cancel', 'job_not_cancelable'],
  ]) {
    const refused = await admin('POST', `${jobs}/${id}/${action}`);
    expect([refused.status, refused.body.code]).toEqual([409, code]);
    expect((await admin('POST', `${jobs}/${newId()}/${action}`)).status).toBe(404);
  }
  expect(await gateway.db.job.findMany()).toMatchObject([
    { state: 'dispatched', attempts: 3, generation: 112 },
  ]);
});

test('the dead jobs of a queue are redriven together, and a dry run changes nothing', async () => {
  const gateway = await startGateway();
  const admin = await signedIn(gateway, 'admin');
  await addDeadJobs(gateway.db, 1_200);
  await addDeadJobs(gateway.db, 2, { name: 'other-mail' });
  await addDeadJobs(gateway.db, 3, { queue: 'trades' });
  await addDeadJobs(gateway.db, 1, { state: 'waiting' });
  const redrive = (body: object, headers = {}) =>
    admin('POST', `${jobs}/redrive`, { body, headers });
  const before = await gateway.db.job.findMany({ orderBy: { id: 'asc' } });
  const dry = await redrive({ queue: 'mail', dryRun: true });
  expect([dry.status, dry.body]).toEqual([200, { matched: 1_202, redriven: 0 }]);
  expect(await gateway.db.job.findMany({ orderBy: { id: 'asc' } })).toEqual(before);

  const key = freshKey();
  const body = { queue: 'mail', name: 'send-email' };
  const redriven = await redrive(body, key);
  expect(redriven.body).toEqual({ matched: 1_200, redriven: 1_200 });
  expect(await gateway.db.job.count({ where: { state: 'dead' } })).toBe(5);
  await gateway.db.job.updateMany({ data: { state: 'dead' } });
  expect((await redrive(body, key)).text).toBe(redriven.text);
  expect(await gateway.db.job.count({ where: { state: 'dead' } })).toBe(1_206);
  expect((await redrive({ ...body, name: 'other-mail' }, key)).status).toBe(422);

  expect((await redrive({ queue: 'tasks' })).body).toEqual({ matched: 0, redriven: 0 });
  for (const bad of [
    {},
    { queue: 'nowhere' },
    { queue: 'mail', all: true },
    { queue: 'mail', dryRun: 'yes' },
  ])
    expect((await redrive(bad)).status).toBe(400);
});

test('a canceled job answers as it was, and the order that it was to execute is canceled', async () => {
  const gateway = await startGateway();
  const admin = await signedIn(gateway, 'admin');
  const client = await gateway.client();
  const { body: placed } = await client.call('POST', '/v1/orders', {
    body: order(),
    headers: freshKey(),
  });
  const job = await gateway.db.job.findFirstOrThrow();
  await gateway.db.job.updateMany({ data: { state: 'dead', attempts: 12 } });
  const key = freshKey();
  const canceled = await admin('POST', `${jobs}/${job.id}/cancel`, { headers: key });
  expect(canceled.status).toBe(202);
  expect(canceled.body).toMatchObject({
    id: job.id,
    name: 'execute-trade',
    subjectId: placed.id,
    state: 'dead',
    attempts: 12,
  });
  expect((await admin('POST', `${jobs}/${job.id}/cancel`, { headers: key })).text).toBe(
    canceled.text,
  );
  expect((await admin('POST', `${jobs}/${job.id}/cancel`)).status).toBe(404);
  const { body: after } = await client.call('GET', `/v1/orders/${placed.id}`);
  expect([after.status, typeof after.canceledAt, after.version]).toEqual(['canceled', 'string', 2]);
  expect(await gateway.db.job.count()).toBe(0);
  const results = await checkInvariants(gateway.db);
  expect(results.flatMap(({ violations }) => violations)).toEqual([]);
});
