import { beginReplay, measureWindow } from '@gatehouse/db/webhook-replays';
import { newId } from '@gatehouse/domain/id';
import { createIdleLedger } from '@gatehouse/testing/idle-ledger';
import { addTestEvents, publishTestEvents } from '@gatehouse/testing/webhooks';
import { beforeAll, expect, test } from 'vitest';
import { afterFile, type Client, freshKey, type Gateway, startGateway } from './harness.ts';
import { addEndpoint } from './webhook-scene.ts';

const HOUR = 3_600_000;
const inHours = (hours: number) => new Date(Date.now() + hours * HOUR).toISOString();

let gateway: Gateway;
let user: Client;
beforeAll(async () => {
  gateway = await startGateway({ RATE_LIMIT_MAX: '0' }, afterFile);
});

/** An endpoint of somebody with two events of an hour ago and one of now. */
async function setUp(): Promise<string> {
  user = await gateway.client();
  const at = new Date(Date.now() - HOUR);
  await addTestEvents(gateway.db, user.accountId, ['order.filled', 'order.expired'], { at });
  await addTestEvents(gateway.db, user.accountId, ['task.due']);
  const { id } = await addEndpoint(user);
  await publishTestEvents(gateway.db, createIdleLedger());
  return id;
}

const begin = (endpointId: string, body: object) =>
  user.call('POST', `/v1/webhook-endpoints/${endpointId}/replay`, { body, headers: freshKey() });

const cancel = (id: string) => user.call('POST', `/v1/webhook-replays/${id}/cancel`);

test('a replay is begun with what is in the log, owed its job, and shows its progress', async () => {
  const endpointId = await setUp();
  const asked = { since: inHours(-2), until: inHours(-0.5) };
  const { status, body, headers } = await begin(endpointId, asked);
  expect(status).toBe(202);
  expect(headers.get('location')).toBe(`/v1/webhook-replays/${body.id}`);
  expect(body).toEqual({
    ...{ id: expect.any(String), endpointId, ...asked, onlyFailed: false, status: 'running' },
    ...{ total: 2, examined: 0, scheduled: 0, delivered: 0, failed: 0, pending: 0 },
    ...{ createdAt: expect.any(String), updatedAt: expect.any(String), endedAt: null },
  });
  const job = await gateway.db.job.findFirstOrThrow({ where: { subjectId: body.id } });
  expect([job.name, job.payload]).toEqual(['replay-webhooks', { replayId: body.id }]);
  expect(job.requestId).toBe(headers.get('x-request-id'));

  const path = `/v1/webhook-replays/${body.id}`;
  const read = await user.call('GET', path);
  expect(read.body).toEqual(body);
  const tag = { 'if-none-match': read.headers.get('etag') ?? '' };
  expect((await user.call('GET', path, { headers: tag })).status).toBe(304);
  const event = await gateway.db.event.findFirstOrThrow({
    where: { accountId: user.accountId, type: 'order.filled' },
  });
  const delivery = { id: newId(), endpointId, eventId: event.id, accountId: user.accountId };
  await gateway.db.webhookDelivery.create({
    data: { ...delivery, sequence: 99, replayId: body.id, nextAttemptAt: new Date() },
  });
  const later = await user.call('GET', path, { headers: tag });
  expect([later.status, later.body]).toEqual([200, { ...body, pending: 1 }]);
});

test('until is now by default, and replays are listed newest first', async () => {
  const endpointId = await setUp();
  const before = Date.now();
  const first = await begin(endpointId, { since: inHours(-0.5), onlyFailed: true });
  const until = new Date(first.body.until).getTime();
  expect(until).toBeGreaterThanOrEqual(before);
  expect(until).toBeLessThanOrEqual(Date.now());
  expect(first.body.onlyFailed).toBe(true);
  await cancel(first.body.id);
  const second = await begin(endpointId, { since: '1970-01-01T00:00:00Z' });
  expect(second.body.total).toBeGreaterThanOrEqual(3);
  const path = `/v1/webhook-endpoints/${endpointId}/replays`;
  const page = await user.call('GET', `${path}?limit=1`);
  expect(page.body).toEqual({ data: [second.body], hasMore: true, nextCursor: second.body.id });
  const rest = await user.call('GET', `${path}?limit=1&cursor=${second.body.id}`);
  expect(rest.body.data).toMatchObject([{ id: first.body.id, status: 'canceled' }]);
  expect([rest.body.hasMore, rest.body.nextCursor]).toEqual([false, null]);
});

test('a window without time in it, and a disabled or unknown endpoint, are refused', async () => {
  const endpointId = await setUp();
  const time = inHours(-1);
  for (const body of [{ since: time, until: time }, { since: inHours(1) }]) {
    const { status, body: problem } = await begin(endpointId, body);
    expect([status, problem.code]).toEqual([400, 'validation_failed']);
    expect(problem.errors).toMatchObject([{ pointer: '/since', code: 'not_before_until' }]);
  }
  const disabled = { disabledReason: 'owner', disabledAt: new Date() } as const;
  await gateway.db.webhookEndpoint.update({ where: { id: endpointId }, data: disabled });
  const refused = await begin(endpointId, { since: time });
  expect([refused.status, refused.body.code]).toEqual([409, 'webhook_endpoint_disabled']);
  const unknown = await begin(newId(), { since: time });
  expect([unknown.status, unknown.body.code]).toEqual([404, 'not_found']);
  expect(await gateway.db.webhookReplay.count({ where: { endpointId } })).toBe(0);
  expect(
    await gateway.db.job.count({ where: { name: 'replay-webhooks', subjectId: endpointId } }),
  ).toBe(0);
});

test('a replay is canceled once: its job is withdrawn, what it scheduled stays', async () => {
  const endpointId = await setUp();
  const { body } = await begin(endpointId, { since: inHours(-2) });
  const event = await gateway.db.event.findFirstOrThrow({ where: { accountId: user.accountId } });
  const delivery = { id: newId(), endpointId, eventId: event.id, accountId: user.accountId };
  await gateway.db.webhookDelivery.create({
    data: { ...delivery, sequence: 99, replayId: body.id, nextAttemptAt: new Date() },
  });
  const answers = await Promise.all([cancel(body.id), cancel(body.id), cancel(body.id)]);
  expect(answers.map(({ status }) => status).sort()).toEqual([202, 409, 409]);
  const [canceled] = answers.filter(({ status }) => status === 202);
  expect(canceled?.body).toMatchObject({ id: body.id, status: 'canceled', pending: 1 });
  expect(canceled?.body.endedAt).toEqual(expect.any(String));
  const [late] = answers.filter(({ status }) => status === 409);
  expect(late?.body.code).toBe('webhook_replay_ended');
  expect(await gateway.db.job.count({ where: { subjectId: body.id } })).toBe(0);
  expect(await gateway.db.webhookDelivery.count({ where: { replayId: body.id } })).toBe(1);
  expect((await cancel(newId())).status).toBe(404);
});

test('of replays to one endpoint one runs at a time, however many are begun at once', async () => {
  const endpointId = await setUp();
  const answers = await Promise.all([1, 2, 3].map(() => begin(endpointId, { since: inHours(-2) })));
  expect(answers.map(({ status }) => status).sort()).toEqual([202, 409, 409]);
  const refused = answers.filter(({ status }) => status === 409);
  expect(refused.map(({ body }) => body.code)).toEqual(Array(2).fill('webhook_replay_running'));
  const [running] = answers.filter(({ status }) => status === 202);
  expect(await gateway.db.job.count({ where: { subjectId: endpointId } })).toBe(1);
  const { id: other } = await addEndpoint(user);
  expect((await begin(other, { since: inHours(-2) })).status).toBe(202);
  await cancel(running?.body.id);
  expect((await begin(endpointId, { since: inHours(-2) })).status).toBe(202);
});

test('a window is measured while the endpoint is in use, and counts what came meanwhile', async () => {
  const endpointId = await setUp();
  const { accountId } = user;
  const window = { accountId, since: new Date(0), until: new Date(Date.now() + HOUR) };
  const replay = await gateway.app.transaction(async (tx) => {
    const measured = await measureWindow(tx, window);
    await addTestEvents(gateway.db, accountId, ['task.due']);
    await publishTestEvents(gateway.db, createIdleLedger());
    const wish = { ...window, id: newId(), endpointId, onlyFailed: false, requestId: null };
    const begun = await beginReplay(tx, wish, measured);
    return { begun, measured };
  });
  expect(replay.begun?.total).toBe(replay.measured.total + 1);
  await gateway.db.webhookReplay.deleteMany({ where: { endpointId } });
});

test('a replay revives the deliveries of an endpoint whose job is dead', async () => {
  const endpointId = await setUp();
  const dead = { state: 'dead', attempts: 3, lastError: 'no' } as const;
  await begin(endpointId, { since: inHours(-2) }).then(({ body }) => cancel(body.id));
  const where = { subjectId: endpointId, name: 'deliver-webhooks' };
  expect((await gateway.db.job.updateMany({ where, data: dead })).count).toBe(1);
  expect((await begin(endpointId, { since: inHours(-2) })).status).toBe(202);
  const job = await gateway.db.job.findFirstOrThrow({ where });
  expect([job.state === 'dead', job.attempts]).toEqual([false, 0]);
});

test('who began and canceled a replay is written down', async () => {
  const endpointId = await setUp();
  const window = { since: inHours(-2), until: inHours(-1) };
  const { body } = await begin(endpointId, window);
  await cancel(body.id);
  await cancel(body.id);
  const entries = await gateway.db.auditEntry.findMany({
    where: { subjectId: body.id, subjectType: 'webhook_replay' },
    orderBy: { id: 'asc' },
  });
  expect(entries.map(({ action, details }) => [action, details])).toEqual([
    ['webhook_replay.begun', { endpointId, onlyFailed: false, ...window }],
    ['webhook_replay.canceled', { endpointId }],
  ]);
});

test('what is refused anyway is refused before anything is measured', async () => {
  const running = await setUp();
  expect((await begin(running, { since: inHours(-2) })).status).toBe(202);
  const { id: disabled } = await addEndpoint(user);
  const data = { disabledReason: 'owner', disabledAt: new Date() } as const;
  await gateway.db.webhookEndpoint.update({ where: { id: disabled }, data });
  await gateway.app.transaction(async (tx) => {
    await tx.$executeRaw`LOCK TABLE event IN ACCESS EXCLUSIVE MODE`;
    const refused = [
      await begin(running, { since: inHours(-2) }),
      await begin(disabled, { since: inHours(-2) }),
    ];
    expect(refused.map(({ status, body }) => [status, body.code])).toEqual([
      [409, 'webhook_replay_running'],
      [409, 'webhook_endpoint_disabled'],
    ]);
  });
});

test('without an end a replay has all that there is, and shows when it began', async () => {
  const endpointId = await setUp();
  const at = new Date(Date.now() + 0.5 * HOUR);
  await addTestEvents(gateway.db, user.accountId, ['order.filled'], { at });
  await publishTestEvents(gateway.db, createIdleLedger());
  const { body } = await begin(endpointId, { since: inHours(-2) });
  const events = await gateway.db.event.count({ where: { accountId: user.accountId } });
  expect([body.total, body.until]).toEqual([events, body.createdAt]);
});
