import { publishEvents } from '@gatehouse/db/event-publishing';
import { insertResetToken } from '@gatehouse/db/password-resets';
import { transaction } from '@gatehouse/db/transaction';
import { EVENT_TYPE_NAMES, EVENT_TYPES } from '@gatehouse/domain/event-types';
import { hashSecretToken, newSecretToken } from '@gatehouse/domain/secret-token';
import { beforeAll, expect, test } from 'vitest';
import { afterFile, freshKey, type Gateway, order, startGateway } from './harness.ts';
import { newPerson, type Person } from './people.ts';

let gateway: Gateway;
beforeAll(async () => {
  gateway = await startGateway({ RATE_LIMIT_MAX: '0' }, afterFile);
});

/** No worker runs here that would do it. */
async function publish(): Promise<void> {
  await transaction(gateway.db, (tx) => publishEvents(tx, 1_000));
}

const place = (person: Person, changes: object = {}, headers = freshKey()) =>
  person.call('POST', '/v1/orders', { body: order({ ...changes }), headers });

/** What happened to a person, published and read to its end. */
async function toldOf(person: Person, query = 'limit=100') {
  await publish();
  const { status, body } = await person.call('GET', `/v1/events?${query}`);
  expect(status).toBe(200);
  return body.data;
}

test('an accepted order is told once, as it was answered, however often its key comes again', async () => {
  const ada = await newPerson(gateway, 'user');
  const headers = freshKey();
  const changes = { clientOrderId: 'monday', type: 'limit', limitPrice: '187.4' };
  const placed = await place(ada, changes, headers);
  expect(placed.status).toBe(201);
  expect((await place(ada, changes, headers)).text).toBe(placed.text);
  expect((await place(ada, changes)).status).toBe(409);

  const [event, ...others] = await toldOf(ada);
  expect(others).toEqual([]);
  expect(event).toEqual({
    id: expect.any(String),
    seq: expect.any(Number),
    type: 'order.accepted',
    timestamp: placed.body.createdAt,
    data: placed.body,
    requestId: placed.headers.get('x-request-id'),
  });
  expect(JSON.stringify(event.data)).toBe(placed.text);
  const { fills: _, ...read } = (await ada.call('GET', `/v1/orders/${placed.body.id}`)).body;
  expect(event.data).toEqual(read);
});

test('of a hundred orders at once each is told, and has its answer in its event', async () => {
  const ada = await newPerson(gateway, 'user');
  const placed = await Promise.all(Array.from({ length: 100 }, () => place(ada)));
  const told = await toldOf(ada);
  const byId = (a: { id: string }, b: { id: string }) => a.id.localeCompare(b.id);
  expect(told.map(({ data }: { data: { id: string } }) => data).sort(byId)).toEqual(
    placed.map(({ body }) => body).sort(byId),
  );
});

test('a task is told as it is answered: when it is created, changed and deleted', async () => {
  const ada = await newPerson(gateway, 'user');
  const created = await ada.call('POST', '/v1/tasks', {
    body: { title: 'Sell the rally', dueAt: '2027-01-01T09:00:00+01:00' },
  });
  const path = `/v1/tasks/${created.body.id}`;
  const changed = await ada.call('PATCH', path, { body: { dueAt: null, priority: 3 } });
  const stale = { 'if-match': '"1"' };
  expect((await ada.call('PATCH', path, { body: { priority: 4 }, headers: stale })).status).toBe(
    412,
  );
  const deleted = await ada.call('DELETE', path);
  expect(await toldOf(ada)).toMatchObject([
    { type: 'task.created', data: created.body, requestId: created.headers.get('x-request-id') },
    { type: 'task.updated', data: changed.body, requestId: changed.headers.get('x-request-id') },
    { type: 'task.deleted', data: changed.body, requestId: deleted.headers.get('x-request-id') },
  ]);
  expect(created.body.dueAt).toBe('2027-01-01T08:00:00.000Z');
});

test('a user is told what was changed of him, by whomever, and not what stayed as it was', async () => {
  const ada = await newPerson(gateway, 'user');
  const admin = await newPerson(gateway, 'admin');
  const path = `/v1/users/${ada.userId}`;
  await ada.call('PATCH', '/v1/users/me', { body: { name: 'Ada' } });
  const named = await ada.call('PATCH', '/v1/users/me', { body: { name: 'Lovelace' } });
  const moved = await admin.call('PATCH', path, {
    body: { email: `Moved.${ada.email}`, active: true },
  });
  expect([named.status, moved.status]).toEqual([200, 200]);
  const { deactivatedAt: _, ...shown } = moved.body;
  expect(await toldOf(ada)).toMatchObject([
    { type: 'account.updated', data: { ...named.body, active: true } },
    {
      type: 'account.updated',
      data: { ...shown, active: true },
      requestId: moved.headers.get('x-request-id'),
    },
  ]);
  expect(await toldOf(admin)).toEqual([]);
});

test('a user is told, once he can read it, that he was not active', async () => {
  const ada = await newPerson(gateway, 'user');
  const admin = await newPerson(gateway, 'admin');
  for (const active of [false, true]) {
    await admin.call('PATCH', `/v1/users/${ada.userId}`, { body: { active } });
  }
  const again = await ada.again();
  const { body: me } = await again.call('GET', '/v1/users/me');
  expect(await toldOf(again)).toMatchObject([
    { type: 'account.updated', data: { ...me, active: false } },
    { type: 'account.updated', data: { ...me, active: true } },
  ]);
});

test('a changed password is told without it; a wrong one is not', async () => {
  const ada = await newPerson(gateway, 'user');
  const change = (currentPassword: string) =>
    ada.call('POST', '/v1/auth/password/change', {
      body: { currentPassword, password: 'battery staple 7' },
    });
  expect((await change('wrong horse')).status).toBe(422);
  expect(await toldOf(ada)).toEqual([]);
  const changed = await change(ada.password);
  expect(changed.status).toBe(204);
  const [event, ...others] = await toldOf(ada);
  expect(others).toEqual([]);
  expect(event).toMatchObject({
    type: 'account.password_changed',
    data: { email: ada.email, changedAt: expect.stringMatching(/^\d{4}-.+\.\d{3}Z$/) },
    requestId: changed.headers.get('x-request-id'),
  });
  expect(Object.keys(event.data)).toEqual(['email', 'changedAt']);

  const token = newSecretToken();
  await insertResetToken(gateway.db, ada, hashSecretToken(token), 60);
  const reset = () =>
    gateway.call('POST', '/v1/auth/password/reset', { body: { token, password: ada.password } });
  const answers = [await reset(), await reset()];
  expect(answers.map(({ status }) => status)).toEqual([204, 400]);
  const stored = await gateway.db.event.findMany({
    where: { accountId: ada.accountId },
    orderBy: { insertion: 'asc' },
  });
  expect(stored.map(({ type }) => type)).toEqual(Array(2).fill('account.password_changed'));
  expect(stored[1]?.requestId).toBe(answers[0]?.headers.get('x-request-id'));
});

test('events are listed oldest first, page by page, none twice and none left out', async () => {
  const ada = await newPerson(gateway, 'user');
  const bob = await newPerson(gateway, 'user');
  for (let n = 0; n < 3; n += 1) {
    await Promise.all([place(ada), place(bob)]);
    await ada.call('POST', '/v1/tasks', { body: { title: `${n}` } });
  }
  const unpublished = await ada.call('GET', '/v1/events');
  expect(unpublished.body).toEqual({ data: [], hasMore: false, nextCursor: null });
  const all = await toldOf(ada);
  const seqs = all.map(({ seq }: { seq: number }) => seq);
  expect(seqs).toEqual([...seqs].sort((a, b) => a - b));
  expect(all.map(({ type }: { type: string }) => type)).toEqual(
    Array(3).fill(['order.accepted', 'task.created']).flat(),
  );

  const first = (await ada.call('GET', '/v1/events?limit=4')).body;
  expect(first).toEqual({ data: all.slice(0, 4), hasMore: true, nextCursor: String(seqs[3]) });
  for (const next of [`cursor=${first.nextCursor}`, `after=${first.nextCursor}`]) {
    const rest = (await ada.call('GET', `/v1/events?limit=2&${next}`)).body;
    expect(rest).toEqual({ data: all.slice(4), hasMore: false, nextCursor: null });
  }
  const filtered = async (query: string) => (await ada.call('GET', `/v1/events?${query}`)).body;
  const orders = all.filter(({ type }: { type: string }) => type === 'order.accepted');
  expect((await filtered('type=order.*')).data).toEqual(orders);
  expect((await filtered('type=order.accepted')).data).toEqual(orders);
  expect((await filtered(`type=order.*&after=${orders[1].seq}`)).data).toEqual([orders[2]]);
  expect((await filtered('type=order.filled')).data).toEqual([]);
  for (const wrong of ['type=order', 'type=orders.*', 'after=-1', 'cursor=x', 'limit=0', 'x=1'])
    expect([wrong, (await ada.call('GET', `/v1/events?${wrong}`)).status]).toEqual([wrong, 400]);
});

test('an event is read by its id, with its tag, once it is published and by its owner alone', async () => {
  const [ada, bob] = [await newPerson(gateway, 'user'), await newPerson(gateway, 'user')];
  await place(ada);
  const { id } = await gateway.db.event.findFirstOrThrow({ where: { accountId: ada.accountId } });
  expect((await ada.call('GET', `/v1/events/${id}`)).status).toBe(404);
  const [event] = await toldOf(ada);
  const read = await ada.call('GET', `/v1/events/${id}`);
  expect([read.status, read.body]).toEqual([200, event]);
  const headers = { 'if-none-match': read.headers.get('etag') ?? '' };
  expect((await ada.call('GET', `/v1/events/${id}`, { headers })).status).toBe(304);
  expect((await bob.call('GET', `/v1/events/${id}`)).status).toBe(404);
  expect((await gateway.call('GET', '/v1/events')).status).toBe(401);
});

test('anybody reads the types of events, each with its schema and its example', async () => {
  const { status, body } = await gateway.call('GET', '/v1/event-types');
  expect(status).toBe(200);
  expect(body.data.map(({ type }: { type: string }) => type)).toEqual(EVENT_TYPE_NAMES);
  const known = new Map(Object.entries(EVENT_TYPES));
  for (const { type, ...shown } of body.data) {
    expect(shown).toEqual(JSON.parse(JSON.stringify(known.get(type))));
    expect(Object.keys(shown.example)).toEqual(Object.keys(shown.schema.properties));
  }
});

test('the API docs tell of every type what is sent to a webhook endpoint', async () => {
  const { body } = await gateway.call('GET', '/openapi.json');
  expect(Object.keys(body.webhooks)).toEqual(EVENT_TYPE_NAMES);
  const { post } = body.webhooks['order.filled'];
  expect(post).toMatchObject({ tags: ['Events'], description: 'All of the order was filled.' });
  expect(
    post.parameters.map(({ name, in: where }: { name: string; in: string }) => [name, where]),
  ).toEqual([
    ['webhook-id', 'header'],
    ['webhook-timestamp', 'header'],
    ['webhook-signature', 'header'],
  ]);
  const { schema, example } = post.requestBody.content['application/json'];
  expect(schema.required).toEqual(['id', 'type', 'timestamp', 'data']);
  expect(schema.properties.type).toEqual({ type: 'string', const: 'order.filled' });
  expect(schema.properties.data.properties.status.enum).toContain('filled');
  expect(Object.keys(example)).toEqual(['id', 'type', 'timestamp', 'data']);
  expect(example.data.status).toBe('filled');
  expect(Object.keys(post.responses)).toEqual(['2XX']);
  expect(body.tags.map(({ name }: { name: string }) => name)).toContain('Events');
});
