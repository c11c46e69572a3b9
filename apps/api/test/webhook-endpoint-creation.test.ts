import { beforeAll, expect, test } from 'vitest';
import { afterFile, freshKey, type Gateway, startGateway } from './harness.ts';
import { newPerson, type Person } from './people.ts';
import { eventsOf, ORIGIN, PATH } from './webhook-endpoint-scene.ts';
import { HOOK_URL } from './webhook-scene.ts';

let gateway: Gateway;
let ada: Person;
beforeAll(async () => {
  gateway = await startGateway({ RATE_LIMIT_MAX: '0' }, afterFile);
  ada = await newPerson(gateway, 'user');
});

const post = (body: object, headers = {}) => ada.call('POST', PATH, { body, headers });

test('an endpoint is created with defaults, shown with its secret once, and read without', async () => {
  const created = await post({ url: HOOK_URL, eventTypes: ['order.*', 'task.due', 'order.*'] });
  expect(created.status).toBe(201);
  const { secret, ...endpoint } = created.body;
  expect(secret).toMatch(/^whsec_[A-Za-z0-9+/]{32,}={0,2}$/);
  expect(endpoint).toEqual({
    id: expect.any(String),
    url: HOOK_URL,
    description: null,
    eventTypes: ['order.*', 'task.due'],
    rateLimitPerSecond: null,
    maxConcurrency: 10,
    ordered: false,
    enabled: true,
    disabledReason: null,
    disabledAt: null,
    failingSince: null,
    pausedUntil: null,
    createdAt: expect.stringMatching(/^2\d{3}-.*\.\d{3}Z$/),
    updatedAt: endpoint.createdAt,
  });
  const location = created.headers.get('location');
  expect(location).toBe(`${PATH}/${endpoint.id}`);
  const read = await ada.call('GET', String(location));
  expect([read.status, read.body]).toEqual([200, endpoint]);
  const list = await ada.call('GET', PATH);
  expect(list.body.data[0]).toEqual(endpoint);
  expect(await eventsOf(gateway.db, endpoint.id)).toEqual([
    {
      type: 'webhook_endpoint.created',
      data: { ...endpoint, url: ORIGIN },
      requestId: created.headers.get('x-request-id'),
    },
  ]);
});

test.each([
  ['no url', { eventTypes: ['*'] }, '/url'],
  ['a long url', { url: `${HOOK_URL}/${'a'.repeat(2_000)}`, eventTypes: ['*'] }, '/url'],
  ['no types', { url: HOOK_URL }, '/eventTypes'],
  ['an empty list', { url: HOOK_URL, eventTypes: [] }, '/eventTypes'],
  ['51 types', { url: HOOK_URL, eventTypes: Array(51).fill('*') }, '/eventTypes'],
  ['an unknown type', { url: HOOK_URL, eventTypes: ['*', 'order.eaten'] }, '/eventTypes/1'],
  ['an unknown resource', { url: HOOK_URL, eventTypes: ['fish.*'] }, '/eventTypes/0'],
  ['half a pattern', { url: HOOK_URL, eventTypes: ['order.f*'] }, '/eventTypes/0'],
  ['rate 0', { url: HOOK_URL, eventTypes: ['*'], rateLimitPerSecond: 0 }, '/rateLimitPerSecond'],
  [
    'a high rate',
    { url: HOOK_URL, eventTypes: ['*'], rateLimitPerSecond: 1_001 },
    '/rateLimitPerSecond',
  ],
  ['no concurrency', { url: HOOK_URL, eventTypes: ['*'], maxConcurrency: 0 }, '/maxConcurrency'],
  [
    'much concurrency',
    { url: HOOK_URL, eventTypes: ['*'], maxConcurrency: 101 },
    '/maxConcurrency',
  ],
  ['a secret of his own', { url: HOOK_URL, eventTypes: ['*'], secret: 'whsec_a' }, '/secret'],
  ['enabled', { url: HOOK_URL, eventTypes: ['*'], enabled: false }, '/enabled'],
])('a creation with %s is refused, and nothing is written', async (_, body, pointer) => {
  const count = await gateway.db.webhookEndpoint.count();
  const { status, body: problem } = await post(body);
  expect([status, problem.code]).toEqual([400, 'validation_failed']);
  const pointers = problem.errors.map((error: { pointer: string }) => error.pointer);
  expect(pointers).toContain(pointer);
  expect(await gateway.db.webhookEndpoint.count()).toBe(count);
});

test('a creation under the same key shows the same endpoint and secret, and makes one', async () => {
  const key = freshKey();
  const body = { url: HOOK_URL, eventTypes: ['*'] };
  const [first, second] = [await post(body, key), await post(body, key)];
  expect(second.text).toBe(first.text);
  expect(second.headers.get('idempotent-replayed')).toBe('true');
  expect(second.headers.get('location')).toBe(first.headers.get('location'));
  expect(await eventsOf(gateway.db, first.body.id)).toHaveLength(1);
});

test('of 60 creations at once exactly 50 are taken, and a deletion makes room for one', async () => {
  const bob = await newPerson(gateway, 'user');
  const create = () =>
    bob.call('POST', PATH, { body: { url: HOOK_URL, eventTypes: ['*'] }, headers: freshKey() });
  const answers = await Promise.all(Array.from({ length: 60 }, create));
  expect(answers.filter(({ status }) => status === 201)).toHaveLength(50);
  const refused = answers.filter(({ status }) => status !== 201);
  expect(new Set(refused.map(({ status, body }) => `${status} ${body.code}`))).toEqual(
    new Set(['409 webhook_endpoint_limit']),
  );
  const { accountId } = bob;
  expect(await gateway.db.webhookEndpoint.count({ where: { accountId } })).toBe(50);
  const [first] = answers.filter(({ status }) => status === 201);
  expect((await bob.call('DELETE', `${PATH}/${first?.body.id}`)).status).toBe(204);
  expect((await create()).status).toBe(201);
  expect((await create()).status).toBe(409);
});
