import { newId } from '@gatehouse/domain/id';
import { beforeAll, expect, test } from 'vitest';
import { afterFile, type Gateway, startGateway } from './harness.ts';
import { newPerson, type Person } from './people.ts';
import { addAttempts, HOUR_MS, hence, read, retry, stored } from './webhook-delivery-scene.ts';
import { addDelivery, addEndpoint, endDelivery, publish } from './webhook-scene.ts';

let gateway: Gateway;
let ada: Person;
beforeAll(async () => {
  gateway = await startGateway({ RATE_LIMIT_MAX: '0' }, afterFile);
  ada = await newPerson(gateway, 'user');
});

test('a delivery is shown with its event, its place, and every attempt, oldest first', async () => {
  const { id: endpointId } = await addEndpoint(ada);
  const first = await addDelivery(gateway.db, ada, endpointId);
  const id = await addDelivery(gateway.db, ada, endpointId);
  await addAttempts(gateway.db, id, [500, null, 200]);
  const { eventId, createdAt, nextAttemptAt } = await stored(gateway.db, id);
  const { status, body, headers } = await read(ada, id);
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
  await addAttempts(gateway.db, id, [500]);
  expect((await again()).status).toBe(200);
});

test('of more than a hundred attempts the last are shown, oldest first, and all are counted', async () => {
  const { id: endpointId } = await addEndpoint(ada);
  const id = await addDelivery(gateway.db, ada, endpointId);
  const statusCodes = Array.from({ length: 101 }, (_, index) => 400 + index);
  await addAttempts(gateway.db, id, statusCodes);
  const { body } = await read(ada, id);
  const shown = body.attempts.map(({ statusCode }: { statusCode: number }) => statusCode);
  expect([body.attemptCount, shown]).toEqual([101, statusCodes.slice(1)]);
  const retried = await retry(ada, id);
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
  await addAttempts(gateway.db, tried, [500]);
  await gateway.db.webhookDelivery.update({ where: { id: tried }, data: { attempts: 1 } });
  await addAttempts(gateway.db, succeeded, [500, 200]);
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
  const nextOf = async () => (await read(ada, id)).body.nextAttemptAt;
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
  const shown = async () => (await read(ada, third)).body.nextAttemptAt;
  expect(await shown()).toBe(later.toISOString());
  const list = await ada.call('GET', `/v1/webhook-endpoints/${endpointId}/deliveries`);
  const times = list.body.data.map((one: { nextAttemptAt: string | null }) => one.nextAttemptAt);
  expect(times).toEqual([later.toISOString(), later.toISOString(), null]);
  await ada.call('PATCH', `/v1/webhook-endpoints/${endpointId}`, { body: { ordered: false } });
  expect(await shown()).toBe(soon.toISOString());
});

test('what is not there is not found', async () => {
  for (const { status, body } of [
    await read(ada, newId()),
    await retry(ada, newId()),
    await ada.call('GET', `/v1/webhook-endpoints/${newId()}/deliveries`),
  ]) {
    expect([status, body.code]).toEqual([404, 'not_found']);
  }
});
