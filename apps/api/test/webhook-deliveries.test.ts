import { newId } from '@gatehouse/domain/id';
import { beforeAll, expect, test } from 'vitest';
import { afterFile, freshKey, type Gateway, startGateway } from './harness.ts';
import { newPerson, type Person } from './people.ts';
import { addDelivery, addEndpoint, endDelivery, publish, violations } from './webhook-scene.ts';

const HOUR_MS = 3_600_000;

let gateway: Gateway;
let ada: Person;
beforeAll(async () => {
  gateway = await startGateway({ RATE_LIMIT_MAX: '0' }, afterFile);
  ada = await newPerson(gateway, 'user');
});

const hence = (ms: number) => new Date(Date.now() + ms);
const stored = (id: string) => gateway.db.webhookDelivery.findUniqueOrThrow({ where: { id } });
const retry = (id: string, headers = {}) =>
  ada.call('POST', `/v1/webhook-deliveries/${id}/retry`, { headers });
const read = (id: string) => ada.call('GET', `/v1/webhook-deliveries/${id}`);
const jobOf = (subjectId: string) =>
  gateway.db.job.findMany({ where: { subjectId, name: 'deliver-webhooks' } });

/** The scene leaves other endpoints without their jobs. */
const violationsAt = async (endpointId: string) =>
  (await violations(gateway.db)).filter((one) => one.includes(endpointId));

async function addAttempts(deliveryId: string, statusCodes: (number | null)[]): Promise<void> {
  await gateway.db.webhookAttempt.createMany({
    data: statusCodes.map((statusCode, index) => ({
      id: newId(),
      deliveryId,
      at: new Date(Date.UTC(2026, 0, 1, index)),
      statusCode,
      durationMs: 12 + index,
      error: statusCode === 200 ? null : 'it said no',
      responseBody: statusCode === null ? null : 'a body',
    })),
  });
}

test('a delivery is shown with its event, its place, and every attempt, oldest first', async () => {
  const { id: endpointId } = await addEndpoint(ada);
  const first = await addDelivery(gateway.db, ada, endpointId);
  const id = await addDelivery(gateway.db, ada, endpointId);
  await addAttempts(id, [500, null, 200]);
  const { eventId, createdAt, nextAttemptAt } = await stored(id);
  const { status, body, headers } = await read(id);
  const listed = {
    id,
    eventId,
    eventType: 'webhook_endpoint.test',
    endpointId,
    sequence: 2,
    status: 'pending',
    attemptCount: 3,
    nextAttemptAt: nextAttemptAt?.toISOString(),
    createdAt: createdAt.toISOString(),
    endedAt: null,
  };
  expect([status, body]).toEqual([
    200,
    {
      ...listed,
      attempts: [
        {
          at: '2026-01-01T00:00:00.000Z',
          statusCode: 500,
          durationMs: 12,
          error: 'it said no',
          responseBody: 'a body',
        },
        {
          at: '2026-01-01T01:00:00.000Z',
          statusCode: null,
          durationMs: 13,
          error: 'it said no',
          responseBody: null,
        },
        {
          at: '2026-01-01T02:00:00.000Z',
          statusCode: 200,
          durationMs: 14,
          error: null,
          responseBody: 'a body',
        },
      ],
    },
  ]);
  const list = await ada.call('GET', `/v1/webhook-endpoints/${endpointId}/deliveries`);
  expect(list.body.data.map((one: { id: string }) => one.id)).toEqual([id, first]);
  expect(list.body.data[0]).toEqual(listed);
  const etag = String(headers.get('etag'));
  const again = () =>
    ada.call('GET', `/v1/webhook-deliveries/${id}`, { headers: { 'if-none-match': etag } });
  expect((await again()).status).toBe(304);
  await addAttempts(id, [500]);
  expect((await again()).status).toBe(200);
});

test('of more than a hundred attempts the last are shown, oldest first, and all are counted', async () => {
  const { id: endpointId } = await addEndpoint(ada);
  const id = await addDelivery(gateway.db, ada, endpointId);
  const statusCodes = Array.from({ length: 101 }, (_, index) => 400 + index);
  await addAttempts(id, statusCodes);
  const { body } = await read(id);
  const shown = body.attempts.map(({ statusCode }: { statusCode: number }) => statusCode);
  expect([body.attemptCount, shown]).toEqual([101, statusCodes.slice(1)]);
  const retried = await retry(id);
  expect([retried.status, retried.body.attemptCount]).toEqual([202, 101]);
  expect(retried.body).not.toHaveProperty('attempts');
});

test('lists are filtered by status and type, and come in pages', async () => {
  const bob = await newPerson(gateway, 'user');
  const [one, other] = [await addEndpoint(bob), await addEndpoint(bob, { eventTypes: ['task.*'] })];
  const add = () => addDelivery(gateway.db, bob, one.id);
  const [fresh, tried, failed, succeeded, canceled] = [
    await add(),
    await add(),
    await add(),
    await add(),
    await add(),
  ];
  await bob.call('POST', '/v1/tasks', { body: { title: 'a' } });
  await publish(gateway.db);
  const [task] = await gateway.db.webhookDelivery.findMany({ where: { endpointId: other.id } });
  await addAttempts(tried, [500]);
  await gateway.db.webhookDelivery.update({ where: { id: tried }, data: { attempts: 1 } });
  await addAttempts(succeeded, [500, 200]);
  await endDelivery(gateway.db, failed, 'failed');
  await endDelivery(gateway.db, succeeded, 'succeeded');
  await endDelivery(gateway.db, canceled, 'canceled');
  const ids = async (path: string) => {
    const { status, body } = await bob.call('GET', path);
    expect([path, status]).toEqual([path, 200]);
    return body.data.map(({ id }: { id: string }) => id);
  };
  const own = `/v1/webhook-endpoints/${one.id}/deliveries`;
  const all = '/v1/webhook-deliveries';
  const newestFirst = [canceled, succeeded, failed, tried, fresh];
  expect(await ids(own)).toEqual(newestFirst);
  expect(await ids(all)).toEqual([task?.id, ...newestFirst]);
  expect(await ids(`${own}?status=pending`)).toEqual([tried, fresh]);
  expect(await ids(`${own}?status=succeeded`)).toEqual([succeeded]);
  expect(await ids(`${own}?status=failed`)).toEqual([failed]);
  expect(await ids(`${own}?status=canceled`)).toEqual([canceled]);
  expect(await ids(`${own}?status=undelivered`)).toEqual([failed, tried]);
  expect(await ids(`${all}?status=undelivered`)).toEqual([failed, tried]);
  expect(await ids(`${all}?status=pending`)).toEqual([task?.id, tried, fresh]);
  expect(await ids(`${all}?eventType=task.created`)).toEqual([task?.id]);
  expect(await ids(`${own}?eventType=task.created`)).toEqual([]);
  const first = await bob.call('GET', `${all}?limit=4`);
  const second = await bob.call('GET', `${all}?limit=4&cursor=${first.body.nextCursor}`);
  const seen = [...first.body.data, ...second.body.data].map(({ id }) => id);
  expect(seen).toEqual([task?.id, ...newestFirst]);
  expect([first.body.hasMore, second.body.hasMore]).toEqual([true, false]);
  for (const query of [
    'status=sent',
    'status=',
    'eventType=order.eaten',
    'eventType=*',
    'type=a',
    'limit=0',
  ]) {
    for (const path of [own, all]) {
      expect([query, (await bob.call('GET', `${path}?${query}`)).status]).toEqual([query, 400]);
    }
  }
});

test('the next attempt is shown where the pause of an endpoint moves it, and not while it is disabled', async () => {
  const { id: endpointId } = await addEndpoint(ada);
  const id = await addDelivery(gateway.db, ada, endpointId);
  const nextOf = async () => (await read(id)).body.nextAttemptAt;
  const [soon, later] = [hence(HOUR_MS), hence(2 * HOUR_MS)];
  const set = async (nextAttemptAt: Date, pausedUntil: Date | null) => {
    await gateway.db.webhookDelivery.update({ where: { id }, data: { nextAttemptAt } });
    await gateway.db.webhookEndpoint.update({ where: { id: endpointId }, data: { pausedUntil } });
  };
  await set(soon, null);
  expect(await nextOf()).toBe(soon.toISOString());
  await set(soon, later);
  expect(await nextOf()).toBe(later.toISOString());
  await set(later, soon);
  expect(await nextOf()).toBe(later.toISOString());
  const patch = (enabled: boolean) =>
    ada.call('PATCH', `/v1/webhook-endpoints/${endpointId}`, { body: { enabled } });
  await patch(false);
  expect(await nextOf()).toBeNull();
  await patch(true);
  expect(await nextOf()).toBe(later.toISOString());
  await set(soon, later);
  await endDelivery(gateway.db, id, 'failed');
  expect(await nextOf()).toBeNull();
});

test('at an ordered endpoint nothing is shown to be sent before the first that is pending', async () => {
  const { id: endpointId } = await addEndpoint(ada, { ordered: true });
  const ids = [
    await addDelivery(gateway.db, ada, endpointId),
    await addDelivery(gateway.db, ada, endpointId),
    await addDelivery(gateway.db, ada, endpointId),
  ];
  const [first, second, third] = ids as [string, string, string];
  const [soon, later] = [hence(HOUR_MS), hence(2 * HOUR_MS)];
  await endDelivery(gateway.db, first, 'failed');
  await gateway.db.webhookDelivery.update({
    where: { id: second },
    data: { nextAttemptAt: later },
  });
  await gateway.db.webhookDelivery.update({ where: { id: third }, data: { nextAttemptAt: soon } });
  const shown = async () => (await read(third)).body.nextAttemptAt;
  expect(await shown()).toBe(later.toISOString());
  const list = await ada.call('GET', `/v1/webhook-endpoints/${endpointId}/deliveries`);
  const times = list.body.data.map((one: { nextAttemptAt: string | null }) => one.nextAttemptAt);
  expect(times).toEqual([later.toISOString(), later.toISOString(), null]);
  await ada.call('PATCH', `/v1/webhook-endpoints/${endpointId}`, { body: { ordered: false } });
  expect(await shown()).toBe(soon.toISOString());
});

test('a retry gives a job that is dead another life', async () => {
  const { id: endpointId } = await addEndpoint(ada);
  const id = await addDelivery(gateway.db, ada, endpointId);
  await retry(id);
  const dead = { state: 'dead', attempts: 3, lastError: 'no', runAt: hence(HOUR_MS) } as const;
  await gateway.db.job.updateMany({ where: { subjectId: endpointId }, data: dead });
  expect((await retry(id)).status).toBe(202);
  const [job] = await jobOf(endpointId);
  expect(job?.state).not.toBe('dead');
  expect(job?.attempts).toBe(0);
  expect(Number(job?.runAt)).toBeLessThan(Date.now() + 5_000);
});

test.each(['failed', 'succeeded', 'canceled'] as const)(
  'a delivery that has %s is sent again from its first attempt on, in its place, with its history',
  async (end) => {
    const { id: endpointId } = await addEndpoint(ada);
    const id = await addDelivery(gateway.db, ada, endpointId);
    await addAttempts(id, [500, 503]);
    await endDelivery(gateway.db, id, end);
    const { sequence, eventId } = await stored(id);
    const { status, body } = await retry(id);
    expect([status, body.status, body.attemptCount, body.endedAt]).toEqual([
      202,
      'pending',
      2,
      null,
    ]);
    const after = await stored(id);
    expect(after).toMatchObject({
      status: 'pending',
      attempts: 0,
      sequence,
      eventId,
      endedAt: null,
    });
    expect(Number(after.nextAttemptAt)).toBeLessThan(Date.now() + 5_000);
    expect((await read(id)).body.attempts).toHaveLength(2);
    expect(await jobOf(endpointId)).toHaveLength(1);
    expect(await violationsAt(endpointId)).toEqual([]);
  },
);

test('a delivery that waits is sent now: its job and the pause of its endpoint with it', async () => {
  const { id: endpointId } = await addEndpoint(ada);
  const id = await addDelivery(gateway.db, ada, endpointId);
  await retry(id);
  const later = hence(HOUR_MS);
  await gateway.db.webhookDelivery.update({
    where: { id },
    data: { attempts: 4, nextAttemptAt: later },
  });
  await gateway.db.webhookEndpoint.update({
    where: { id: endpointId },
    data: { pausedUntil: later },
  });
  await gateway.db.job.updateMany({
    where: { subjectId: endpointId },
    data: { state: 'waiting', runAt: later },
  });
  const { status, body } = await retry(id);
  expect(status).toBe(202);
  expect(Date.parse(body.nextAttemptAt)).toBeLessThan(Date.now() + 5_000);
  expect(await stored(id)).toMatchObject({ status: 'pending', attempts: 4 });
  const endpoint = await ada.call('GET', `/v1/webhook-endpoints/${endpointId}`);
  expect(endpoint.body.pausedUntil).toBeNull();
  const [job, ...others] = await jobOf(endpointId);
  expect(others).toEqual([]);
  expect(Number(job?.runAt)).toBeLessThan(Date.now() + 5_000);
  expect(await violationsAt(endpointId)).toEqual([]);
});

test('retries at once, and one under a key that is sent twice, owe one job', async () => {
  const { id: endpointId } = await addEndpoint(ada);
  const id = await addDelivery(gateway.db, ada, endpointId);
  await endDelivery(gateway.db, id, 'failed');
  const answers = await Promise.all(Array.from({ length: 8 }, () => retry(id)));
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([202]));
  expect(await jobOf(endpointId)).toHaveLength(1);
  await endDelivery(gateway.db, id, 'failed');
  const key = freshKey();
  await retry(id, key);
  await endDelivery(gateway.db, id, 'failed');
  const again = await retry(id, key);
  expect([again.status, again.headers.get('idempotent-replayed')]).toEqual([202, 'true']);
  expect((await stored(id)).status).toBe('failed');
});

test('nothing is retried at an endpoint that is disabled', async () => {
  const { id: endpointId } = await addEndpoint(ada);
  const id = await addDelivery(gateway.db, ada, endpointId);
  await endDelivery(gateway.db, id, 'failed');
  await ada.call('PATCH', `/v1/webhook-endpoints/${endpointId}`, { body: { enabled: false } });
  const { status, body } = await retry(id);
  expect([status, body.code]).toEqual([409, 'webhook_endpoint_disabled']);
  expect((await stored(id)).status).toBe('failed');
  expect(await jobOf(endpointId)).toEqual([]);
});

test('what is not there is not found', async () => {
  for (const { status, body } of [
    await read(newId()),
    await retry(newId()),
    await ada.call('GET', `/v1/webhook-endpoints/${newId()}/deliveries`),
  ]) {
    expect([status, body.code]).toEqual([404, 'not_found']);
  }
});
