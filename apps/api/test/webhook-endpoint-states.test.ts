import { disableEndpoint } from '@gatehouse/db/webhook-endpoint-states';
import { beforeAll, expect, test } from 'vitest';
import { afterFile, type Gateway, startGateway } from './harness.ts';
import { newPerson, type Person } from './people.ts';
import { jobsOf, newTask, PATH, typesHeard } from './webhook-endpoint-scene.ts';
import { addEndpoint, HOOK_URL, publishWithJobs, violations } from './webhook-scene.ts';

let gateway: Gateway;
let ada: Person;
beforeAll(async () => {
  gateway = await startGateway({ RATE_LIMIT_MAX: '0' }, afterFile);
  ada = await newPerson(gateway, 'user');
});

const patch = (id: string, body: object) => ada.call('PATCH', `${PATH}/${id}`, { body });

test('an endpoint that is switched off hears nothing meanwhile, and keeps what it was owed', async () => {
  const { id } = await addEndpoint(ada, { eventTypes: ['task.*'] });
  await newTask(ada);
  await publishWithJobs(gateway);
  const off = await patch(id, { enabled: false });
  expect(off.body).toMatchObject({
    enabled: false,
    disabledReason: 'owner',
    disabledAt: expect.any(String),
  });
  await newTask(ada);
  await publishWithJobs(gateway);
  expect(await typesHeard(gateway.db, id)).toEqual(['task.created']);
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
  expect((await jobsOf(gateway.db, id)).map(({ name }) => name)).toEqual(['deliver-webhooks']);
  await newTask(ada);
  await publishWithJobs(gateway);
  expect(await typesHeard(gateway.db, id)).toEqual(['task.created', 'task.created']);
  expect(await jobsOf(gateway.db, id)).toHaveLength(1);
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
  expect(await jobsOf(gateway.db, id)).toEqual([]);
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
  await newTask(ada);
  await publishWithJobs(gateway);
  expect(await typesHeard(gateway.db, id)).toEqual([]);
  await patch(id, { enabled: true, eventTypes: ['task.created', 'task.updated'] });
  await newTask(ada);
  await publishWithJobs(gateway);
  expect(await typesHeard(gateway.db, id)).toEqual(['task.created']);
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
  expect(await typesHeard(gateway.db, other.id)).not.toContain('webhook_endpoint.test');
  expect(await violations(gateway.db)).toEqual([]);
});

test.each([
  ['another URL nothing waits', { url: 'https://93.184.215.14/other' }, null, 0, false],
  ['no order only a pause waits', { ordered: false }, expect.any(String), 3, true],
])('with %s for what held before', async (_, body, failingSince, failures, isPaused) => {
  const { id } = await addEndpoint(ada, { eventTypes: ['task.*'], ordered: true });
  await newTask(ada);
  await publishWithJobs(gateway);
  const later = new Date(Date.now() + 3_600_000);
  const waiting = { failingSince: new Date(), failures: 3, pausedUntil: later };
  await gateway.db.webhookEndpoint.updateMany({ where: { id }, data: waiting });
  const put = { state: 'waiting', runAt: later } as const;
  await gateway.db.job.updateMany({ where: { subjectId: id }, data: put });
  // As it is: nothing is any sooner.
  await patch(id, { ordered: true, url: HOOK_URL, maxConcurrency: 3 });
  expect(await jobsOf(gateway.db, id)).toMatchObject([put]);
  const changed = await patch(id, body);
  const pausedUntil = isPaused ? later.toISOString() : null;
  expect(changed.body).toMatchObject({ failingSince, pausedUntil });
  const [job, ...others] = await jobsOf(gateway.db, id);
  expect(others).toEqual([]);
  expect(Number(job?.runAt)).toBeLessThan(Date.now() + 5_000);
  const after = await gateway.db.webhookEndpoint.findUniqueOrThrow({ where: { id } });
  expect(after.failures).toBe(failures);
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
