import type { Transaction } from '@gatehouse/db/client';
import { lockEventLog } from '@gatehouse/db/event-log';
import { testEndpoint } from '@gatehouse/db/webhook-endpoint-events';
import { disableEndpoint } from '@gatehouse/db/webhook-endpoint-states';
import { lockEndpoint } from '@gatehouse/db/webhook-endpoints';
import { newId } from '@gatehouse/domain/id';
import { replayWebhooks } from '@gatehouse/jobs/definitions/replay-webhooks';
import { lockWaiter } from '@gatehouse/testing/locks';
import { beforeAll, describe, expect, test } from 'vitest';
import { afterFile, type Gateway, startGateway } from './harness.ts';
import { newPerson, type Person } from './people.ts';
import {
  addDelivery,
  addEndpoint,
  endDelivery,
  HOOK_URL,
  publishWithJobs,
  violations,
} from './webhook-scene.ts';

const PATH = '/v1/webhook-endpoints';

let gateway: Gateway;
let ada: Person;
beforeAll(async () => {
  gateway = await startGateway({ RATE_LIMIT_MAX: '0' }, afterFile);
  ada = await newPerson(gateway, 'user');
});

const patch = (id: string, body: object) => ada.call('PATCH', `${PATH}/${id}`, { body });
const jobsOf = (subjectId: string) => gateway.db.job.findMany({ where: { subjectId } });
const typesHeard = async (endpointId: string) => {
  const deliveries = await gateway.db.webhookDelivery.findMany({
    where: { endpointId },
    include: { event: true },
    orderBy: { sequence: 'asc' },
  });
  return deliveries.map(({ event }) => event.type);
};
const newTask = () => ada.call('POST', '/v1/tasks', { body: { title: 'a' } });

test('an endpoint that is switched off hears nothing meanwhile, and keeps what it was owed', async () => {
  const { id } = await addEndpoint(ada, { eventTypes: ['task.*'] });
  await newTask();
  await publishWithJobs(gateway);
  const off = await patch(id, { enabled: false });
  expect(off.body).toMatchObject({
    enabled: false,
    disabledReason: 'owner',
    disabledAt: expect.any(String),
  });
  await newTask();
  await publishWithJobs(gateway);
  expect(await typesHeard(id)).toEqual(['task.created']);
  const pending = await gateway.db.webhookDelivery.findMany({ where: { endpointId: id } });
  expect(pending.map(({ status }) => status)).toEqual(['pending']);
  expect(await violations(gateway.db)).toEqual([]);

  // The run that came by meanwhile found it switched off, and settled its job.
  await gateway.db.job.deleteMany({ where: { subjectId: id } });
  const since = { failingSince: new Date(), failures: 7, pausedUntil: new Date() };
  await gateway.db.webhookEndpoint.updateMany({ where: { id }, data: since });
  const on = await patch(id, { enabled: true });
  expect(on.body).toMatchObject({
    enabled: true,
    disabledReason: null,
    disabledAt: null,
    failingSince: null,
    pausedUntil: null,
  });
  expect((await jobsOf(id)).map(({ name }) => name)).toEqual(['deliver-webhooks']);
  await newTask();
  await publishWithJobs(gateway);
  expect(await typesHeard(id)).toEqual(['task.created', 'task.created']);
  expect(await jobsOf(id)).toHaveLength(1);
  expect(await violations(gateway.db)).toEqual([]);
});

test('switching tells of itself once, however often it is asked for', async () => {
  const { id } = await addEndpoint(ada, { eventTypes: ['task.*'] });
  for (const enabled of [true, false, false, true, true]) {
    expect((await patch(id, { enabled })).body.enabled).toBe(enabled);
  }
  const events = await gateway.db.event.findMany({ orderBy: { insertion: 'asc' } });
  const types = events.filter(({ data }) => JSON.stringify(data).includes(id)).map((e) => e.type);
  expect(types).toEqual(['created', 'disabled', 'enabled'].map((it) => `webhook_endpoint.${it}`));
  // Nothing is pending: nothing is owed.
  expect(await jobsOf(id)).toEqual([]);
});

test('whoever else disables an endpoint says why, once, and its owner can enable it again', async () => {
  const { id } = await addEndpoint(ada);
  const occasion = { at: new Date(), requestId: null };
  const disable = () =>
    gateway.app.transaction((tx) => disableEndpoint(tx, id, 'failing', occasion));
  const [first, second] = await Promise.all([disable(), disable()]);
  expect([first, second].filter((one) => one === null)).toHaveLength(1);
  const { body } = await ada.call('GET', `${PATH}/${id}`);
  expect(body).toMatchObject({ enabled: false, disabledReason: 'failing' });
  expect((await patch(id, { enabled: false })).body.disabledReason).toBe('failing');
  const test_ = await ada.call('POST', `${PATH}/${id}/test`);
  expect([test_.status, test_.body.code]).toEqual([409, 'webhook_endpoint_disabled']);
  expect((await patch(id, { enabled: true })).body.enabled).toBe(true);
  await ada.call('DELETE', `${PATH}/${id}`);
  expect(await disable()).toBeNull();
  expect(await violations(gateway.db)).toEqual([]);
});

test('what a disabled endpoint is changed to listen to holds once it is enabled', async () => {
  const { id } = await addEndpoint(ada, { eventTypes: ['deposit.*'] });
  await patch(id, { enabled: false });
  await patch(id, { eventTypes: ['task.created'] });
  await newTask();
  await publishWithJobs(gateway);
  expect(await typesHeard(id)).toEqual([]);
  await patch(id, { enabled: true, eventTypes: ['task.created', 'task.updated'] });
  await newTask();
  await publishWithJobs(gateway);
  expect(await typesHeard(id)).toEqual(['task.created']);
  expect(await violations(gateway.db)).toEqual([]);
});

test('a test event goes to its endpoint alone, whatever that and others listen to', async () => {
  const [tested, other] = [
    await addEndpoint(ada, { eventTypes: ['deposit.*'] }),
    await addEndpoint(ada, { eventTypes: ['*'] }),
  ];
  const sent = await ada.call('POST', `${PATH}/${tested.id}/test`);
  expect(sent.status).toBe(202);
  await publishWithJobs(gateway);
  const { eventId } = sent.body;
  const deliveries = await gateway.db.webhookDelivery.findMany({ where: { eventId } });
  expect(deliveries.map(({ endpointId }) => endpointId)).toEqual([tested.id]);
  const event = await gateway.db.event.findUniqueOrThrow({ where: { id: eventId } });
  expect([event.type, event.requestId]).toEqual([
    'webhook_endpoint.test',
    sent.headers.get('x-request-id'),
  ]);
  expect(await typesHeard(other.id)).not.toContain('webhook_endpoint.test');
  expect(await violations(gateway.db)).toEqual([]);
});

test('a deletion has what was not sent canceled, ends replays, and keeps what was sent', async () => {
  const { id } = await addEndpoint(ada, { eventTypes: ['task.*'] });
  const done = await addDelivery(gateway.db, ada, id);
  await endDelivery(gateway.db, done, 'succeeded');
  await gateway.db.webhookAttempt.create({
    data: { deliveryId: done, id: newId(), at: new Date(), statusCode: 204, durationMs: 1 },
  });
  await newTask();
  await publishWithJobs(gateway);
  const dead = { state: 'dead', attempts: 3, lastError: 'no' } as const;
  await gateway.db.job.updateMany({ where: { subjectId: id }, data: dead });
  const replayId = newId();
  const { accountId } = ada;
  const window = { since: new Date(0), until: new Date(), position: 0n, endSeq: 1n, total: 1 };
  await gateway.app.transaction(async (tx) => {
    await tx.webhookReplay.create({
      data: { id: replayId, accountId, endpointId: id, onlyFailed: false, ...window },
    });
    await gateway.app.jobs.enqueue(tx, replayWebhooks, { replayId }, { requestId: 'r' });
  });
  expect(await violations(gateway.db)).toEqual([]);

  expect((await ada.call('DELETE', `${PATH}/${id}`)).status).toBe(204);
  expect(await jobsOf(replayId)).toEqual([]);
  const [job, ...others] = await jobsOf(id);
  expect([job?.name, job?.attempts, others]).toEqual(['deliver-webhooks', 0, []]);
  expect(job?.state).not.toBe('dead');
  const replay = await gateway.db.webhookReplay.findUniqueOrThrow({ where: { id: replayId } });
  expect(replay.status).toBe('canceled');
  await newTask();
  await publishWithJobs(gateway);
  const left = await ada.call('GET', `${PATH}/${id}/deliveries`);
  expect(left.body.data.map(({ status }: { status: string }) => status)).toEqual([
    'canceled',
    'succeeded',
  ]);
  // Nobody has come by to write it down: it is shown so all the same.
  const waiting = { endpointId: id, status: 'pending' } as const;
  expect(await gateway.db.webhookDelivery.count({ where: waiting })).toBe(1);
  expect(left.body.data[0]).toMatchObject({ endedAt: expect.any(String), nextAttemptAt: null });
  for (const [status, count] of [
    ['pending', 0],
    ['undelivered', 0],
    ['canceled', 1],
  ] as const) {
    const found = await ada.call('GET', `${PATH}/${id}/deliveries?status=${status}`);
    expect([status, found.body.data.length]).toEqual([status, count]);
  }
  expect((await ada.call('GET', `/v1/webhook-deliveries/${done}`)).status).toBe(200);
  const retried = await ada.call('POST', `/v1/webhook-deliveries/${done}/retry`);
  expect(retried.status).toBe(404);
  expect(await violations(gateway.db)).toEqual([]);
});

test.each([
  ['another URL nothing waits', { url: 'https://93.184.215.14/other' }, null, 0, false],
  ['no order only a pause waits', { ordered: false }, expect.any(String), 3, true],
])('with %s for what held before', async (_, body, failingSince, failures, isPaused) => {
  const { id } = await addEndpoint(ada, { eventTypes: ['task.*'], ordered: true });
  await newTask();
  await publishWithJobs(gateway);
  const later = new Date(Date.now() + 3_600_000);
  const waiting = { failingSince: new Date(), failures: 3, pausedUntil: later };
  await gateway.db.webhookEndpoint.updateMany({ where: { id }, data: waiting });
  const put = { state: 'waiting', runAt: later } as const;
  await gateway.db.job.updateMany({ where: { subjectId: id }, data: put });
  // As it is: nothing is any sooner.
  await patch(id, { ordered: true, url: HOOK_URL, maxConcurrency: 3 });
  expect(await jobsOf(id)).toMatchObject([put]);
  const changed = await patch(id, body);
  const pausedUntil = isPaused ? later.toISOString() : null;
  expect(changed.body).toMatchObject({ failingSince, pausedUntil });
  const [job, ...others] = await jobsOf(id);
  expect(others).toEqual([]);
  expect(Number(job?.runAt)).toBeLessThan(Date.now() + 5_000);
  const after = await gateway.db.webhookEndpoint.findUniqueOrThrow({ where: { id } });
  expect(after.failures).toBe(failures);
  expect(await violations(gateway.db)).toEqual([]);
});

describe('who is deactivated', () => {
  const asAdmin = async (method: 'PATCH' | 'DELETE', { userId }: Person, body?: object) => {
    const admin = await newPerson(gateway, 'admin');
    const { status } = await admin.call(method, `/v1/users/${userId}`, { ...(body && { body }) });
    expect([200, 204]).toContain(status);
  };
  const stored = (id: string) => gateway.db.webhookEndpoint.findUniqueOrThrow({ where: { id } });

  test.each([
    ['by a change', 'PATCH', { active: false }],
    ['since he cannot be deleted', 'DELETE', undefined],
  ] as const)('%s is told nothing any more, until he switches his endpoints on', async (...row) => {
    const [, method, body] = row;
    const bob = await newPerson(gateway, 'user');
    const { id } = await addEndpoint(bob, { eventTypes: ['*'] });
    const { id: off } = await addEndpoint(bob);
    const { id: gone } = await addEndpoint(bob);
    const { id: others } = await addEndpoint(ada);
    await bob.call('PATCH', `${PATH}/${off}`, { body: { enabled: false } });
    await bob.call('DELETE', `${PATH}/${gone}`);
    await publishWithJobs(gateway);
    const heard = await typesHeard(id);
    await asAdmin(method, bob, body);
    await publishWithJobs(gateway);
    expect(await typesHeard(id)).toEqual(heard);
    const reasons = [id, off, gone, others].map(async (one) => (await stored(one)).disabledReason);
    expect(await Promise.all(reasons)).toEqual(['deactivated', 'owner', null, null]);

    await asAdmin('PATCH', bob, { active: true });
    expect((await stored(id)).disabledReason).toBe('deactivated');
    const again = await bob.again();
    const events = await again.call('GET', '/v1/events?limit=100');
    expect(
      events.body.data.filter(({ type, data }: { type: string; data: { id: string } }) => {
        return type === 'webhook_endpoint.disabled' && data.id === id;
      }),
    ).toMatchObject([{ data: { enabled: false, disabledReason: 'deactivated' } }]);
    const on = await again.call('PATCH', `${PATH}/${id}`, { body: { enabled: true } });
    expect(on.body).toMatchObject({ enabled: true, disabledReason: null });
    expect(await violations(gateway.db)).toEqual([]);
  });

  test('leaves no endpoint behind that he makes or enables at that moment', async () => {
    const bob = await newPerson(gateway, 'user');
    const { id: off } = await addEndpoint(bob);
    await bob.call('PATCH', `${PATH}/${off}`, { body: { enabled: false } });
    // All ask as one who is active, and wait for the log.
    const free = Promise.withResolvers<void>();
    const held = Promise.withResolvers<void>();
    const holding = gateway.app.transaction(async (tx) => {
      await lockEventLog(tx);
      held.resolve();
      await free.promise;
    });
    await held.promise;
    const deactivated = asAdmin('PATCH', bob, { active: false });
    await lockWaiter(gateway.db);
    const body = { url: HOOK_URL, eventTypes: ['*'] };
    const late = [
      bob.call('POST', PATH, { body }),
      bob.call('PATCH', `${PATH}/${off}`, { body: { enabled: true } }),
    ];
    await lockWaiter(gateway.db, 3);
    free.resolve();
    await Promise.all([holding, deactivated]);
    expect((await Promise.all(late)).map(({ status }) => status)).toEqual([401, 401]);
    const { accountId } = bob;
    const where = { accountId, disabledReason: null };
    expect(await gateway.db.webhookEndpoint.count({ where })).toBe(0);
    expect(await violations(gateway.db)).toEqual([]);
  });

  test('waits in no circle with whoever uses an endpoint of his', async () => {
    const bob = await newPerson(gateway, 'user');
    const { id } = await addEndpoint(bob);
    const [removal] = await gateway.app.transaction(async (tx) => {
      const endpoint = await lockEndpoint(tx, bob.accountId, id);
      if (endpoint === null) throw new Error('there is no endpoint');
      const begun = asAdmin('DELETE', bob);
      await lockWaiter(gateway.db);
      // Refers to the account, after the endpoint.
      await testEndpoint(tx, endpoint, { at: new Date(), requestId: null });
      return [begun];
    });
    await removal;
    expect((await stored(id)).disabledReason).toBe('deactivated');
  });
});

test('a deletion waits in no circle with whoever holds the jobs of an endpoint and of its replays', async () => {
  const { id } = await addEndpoint(ada, { eventTypes: ['task.*'] });
  await newTask();
  await publishWithJobs(gateway);
  const replay = await ada.call('POST', `${PATH}/${id}/replay`, {
    body: { since: new Date(Date.now() - 60_000).toISOString() },
  });
  expect([replay.status, await jobsOf(id), await jobsOf(replay.body.id)]).toMatchObject([
    202,
    [{ name: 'deliver-webhooks' }],
    [{ name: replayWebhooks.name }],
  ]);
  const lockJobs = (tx: Transaction, subjectId: string) =>
    tx.$executeRaw`SELECT 1 FROM job WHERE subject_id = ${subjectId}::uuid FOR UPDATE`;
  // In the order in which everybody locks several.
  const [deletion] = await gateway.app.transaction(async (tx) => {
    await lockJobs(tx, id);
    const begun = ada.call('DELETE', `${PATH}/${id}`);
    await lockWaiter(gateway.db);
    await lockJobs(tx, replay.body.id);
    return [begun];
  });
  expect((await deletion).status).toBe(204);
  expect((await jobsOf(replay.body.id)).length).toBe(0);
  expect(await violations(gateway.db)).toEqual([]);
});

test('whatever is changed while events are published, each goes to whoever listened at its place', async () => {
  const carl = await newPerson(gateway, 'user');
  const FILTERS = [['task.*'], ['*'], ['task.created'], ['deposit.*'], ['order.*', 'task.updated']];
  const endpoints = await Promise.all(
    FILTERS.map((eventTypes) => addEndpoint(carl, { eventTypes })),
  );
  let isOver = false;
  let published = 0;
  const publisher = async () => {
    while (!isOver) published += await publishWithJobs(gateway);
  };
  const writer = async () => {
    for (let i = 0; i < 60; i += 1) {
      const task = await carl.call('POST', '/v1/tasks', { body: { title: `${i}` } });
      await carl.call('PATCH', `/v1/tasks/${task.body.id}`, { body: { priority: 1 } });
    }
  };
  const changer = async (which: number) => {
    const { id } = endpoints[which];
    const path = `${PATH}/${id}`;
    for (let i = 0; i < 20; i += 1) {
      const eventTypes = FILTERS[(which + i) % FILTERS.length];
      const body = i % 4 === 3 ? { enabled: i % 8 === 7 } : { eventTypes };
      expect((await carl.call('PATCH', path, { body })).status).toBe(200);
    }
    if (which === 4) expect((await carl.call('DELETE', path)).status).toBe(204);
  };
  const running = [publisher(), publisher()];
  await Promise.all([writer(), writer(), ...endpoints.map((_, which) => changer(which))]);
  isOver = true;
  await Promise.all(running);
  await publishWithJobs(gateway);
  expect(published).toBeGreaterThan(100);
  expect(await violations(gateway.db)).toEqual([]);
  // Neither all nothing nor all of it: the subscriptions were many, and cut the log.
  const { accountId } = carl;
  const subscriptions = await gateway.db.webhookSubscription.findMany({
    where: { endpoint: { accountId } },
  });
  expect(subscriptions.length).toBeGreaterThan(50);
  expect(
    subscriptions.filter(({ afterSeq, untilSeq }) => untilSeq !== null && untilSeq > afterSeq)
      .length,
  ).toBeGreaterThan(5);
  const deliveries = await gateway.db.webhookDelivery.count({ where: { accountId } });
  expect(deliveries).toBeGreaterThan(50);
});
