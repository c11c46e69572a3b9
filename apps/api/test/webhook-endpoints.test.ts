import { newId } from '@gatehouse/domain/id';
import { beforeAll, expect, test } from 'vitest';
import { afterFile, freshKey, type Gateway, startGateway } from './harness.ts';
import { newPerson, type Person } from './people.ts';
import { addEndpoint, HOOK_URL } from './webhook-scene.ts';

const PATH = '/v1/webhook-endpoints';
const { origin: ORIGIN } = new URL(HOOK_URL);

let gateway: Gateway;
let ada: Person;
beforeAll(async () => {
  gateway = await startGateway({ RATE_LIMIT_MAX: '0' }, afterFile);
  ada = await newPerson(gateway, 'user');
});

async function eventsOf(endpointId: string) {
  const events = await gateway.db.event.findMany({ orderBy: { insertion: 'asc' } });
  return events
    .filter(({ data }) => JSON.stringify(data).includes(endpointId))
    .map(({ type, data, requestId }) => ({ type, data, requestId }));
}

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
  expect(await eventsOf(endpoint.id)).toEqual([
    {
      type: 'webhook_endpoint.created',
      data: { ...endpoint, url: ORIGIN },
      requestId: created.headers.get('x-request-id'),
    },
  ]);
});

test('every setting is taken, and changed on its own', async () => {
  const settings = {
    url: `${HOOK_URL}?a=b`,
    eventTypes: ['*'],
    description: 'Fills',
    rateLimitPerSecond: 1_000,
    maxConcurrency: 1,
    ordered: true,
  };
  const { id, secret: _, ...endpoint } = await addEndpoint(ada, settings);
  expect(endpoint).toMatchObject(settings);
  const changes = [
    { url: 'https://93.184.215.14/other' },
    { eventTypes: ['deposit.succeeded'] },
    { description: null },
    { rateLimitPerSecond: null },
    { maxConcurrency: 100 },
    { ordered: false },
  ];
  let expected = endpoint;
  for (const body of changes) {
    const { status, body: changed } = await ada.call('PATCH', `${PATH}/${id}`, { body });
    expected = { ...expected, ...body, updatedAt: changed.updatedAt };
    expect([status, changed]).toEqual([200, { id, ...expected }]);
    expect((await ada.call('GET', `${PATH}/${id}`)).body).toEqual(changed);
    expect((await eventsOf(id)).at(-1)).toMatchObject({
      type: 'webhook_endpoint.updated',
      data: { ...changed, url: ORIGIN },
    });
  }
  expect(await eventsOf(id)).toHaveLength(1 + changes.length);
});

test('no event tells the path of an endpoint, whatever happens to it', async () => {
  const secretPath = '/services/T0001/B0002/XoXoXo';
  const { id } = await addEndpoint(ada, { url: `${HOOK_URL}${secretPath}?token=XoXoXo` });
  const path = `${PATH}/${id}`;
  for (const body of [{ maxConcurrency: 1 }, { enabled: false }, { enabled: true }]) {
    await ada.call('PATCH', path, { body });
  }
  await ada.call('POST', `${path}/rotate-secret`);
  await ada.call('DELETE', path);
  const told = await eventsOf(id);
  expect(told.map(({ type }) => type.split('.')[1])).toEqual([
    ...['created', 'updated', 'disabled', 'enabled', 'secret_rotated', 'deleted'],
  ]);
  for (const { data } of told) expect(data).toMatchObject({ id, url: ORIGIN });
  expect(JSON.stringify(told)).not.toMatch(/XoXoXo|services/);
});

test.each([
  ['rotate-secret', undefined, 200],
  ['test', undefined, 202],
  ['replay', { since: '2026-11-20T00:00:00.000Z' }, 202],
])('%s is for the version that was read, where one is named', async (action, body, status) => {
  const { id } = await addEndpoint(ada);
  const act = (tag: string) =>
    ada.call('POST', `${PATH}/${id}/${action}`, { body, headers: { 'if-match': tag } });
  const stale = await act('"0"');
  expect([stale.status, stale.body.code]).toEqual([412, 'precondition_failed']);
  expect((await act('"1"')).status).toBe(status);
  const { body: document } = await gateway.call('GET', '/openapi.json');
  const { parameters, responses } = document.paths[`${PATH}/{id}/${action}`].post;
  const headers = parameters.map(({ name }: { name: string }) => name);
  expect(headers).toContain('if-match');
  expect(Object.keys(responses)).toContain('412');
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

test('what is as it is asked to be is no change: no version, no event, and no act', async () => {
  const settings = { description: 'mine', rateLimitPerSecond: 5, maxConcurrency: 3, ordered: true };
  const eventTypes = ['order.*', 'task.due'];
  const { id, secret: _, ...endpoint } = await addEndpoint(ada, { ...settings, eventTypes });
  const path = `${PATH}/${id}`;
  const acts = () => gateway.db.auditEntry.count({ where: { subjectId: id } });
  const before = await acts();
  const tag = (await ada.call('GET', path)).headers.get('etag');
  const same = [
    ...Object.entries(settings).map(([name, value]) => ({ [name]: value })),
    ...[{ eventTypes: [...eventTypes, 'order.*'] }, { url: `${HOOK_URL}` }, { enabled: true }],
    { ...settings, eventTypes, url: HOOK_URL, enabled: true },
  ];
  for (const body of same) {
    const { status, body: answer, headers } = await ada.call('PATCH', path, { body });
    expect([status, answer, headers.get('etag')]).toEqual([200, { id, ...endpoint }, tag]);
  }
  expect([await acts(), (await eventsOf(id)).length]).toEqual([before, 1]);
  // One of several.
  const body = { ...settings, eventTypes, enabled: true, maxConcurrency: 4 };
  const changed = await ada.call('PATCH', path, { body });
  expect(changed.body).toMatchObject({ maxConcurrency: 4, ordered: true });
  expect(changed.headers.get('etag')).not.toBe(tag);
  const [act] = await gateway.db.auditEntry.findMany({
    where: { subjectId: id },
    orderBy: { id: 'desc' },
    take: 1,
  });
  expect(act?.details).toMatchObject({ changed: 'maxConcurrency' });
  expect([await acts(), (await eventsOf(id)).length]).toEqual([before + 1, 2]);
});

test('a change without members is refused', async () => {
  const { id } = await addEndpoint(ada);
  const { status } = await ada.call('PATCH', `${PATH}/${id}`, { body: {} });
  expect(status).toBe(400);
});

test('a creation under the same key shows the same endpoint and secret, and makes one', async () => {
  const key = freshKey();
  const body = { url: HOOK_URL, eventTypes: ['*'] };
  const [first, second] = [await post(body, key), await post(body, key)];
  expect(second.text).toBe(first.text);
  expect(second.headers.get('idempotent-replayed')).toBe('true');
  expect(second.headers.get('location')).toBe(first.headers.get('location'));
  expect(await eventsOf(first.body.id)).toHaveLength(1);
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

test('a list comes in pages, newest first, and without what was deleted', async () => {
  const carl = await newPerson(gateway, 'user');
  const ids: string[] = [];
  for (let i = 0; i < 5; i += 1) ids.unshift((await addEndpoint(carl)).id);
  const [deleted, ...kept] = ids;
  await carl.call('DELETE', `${PATH}/${deleted}`);
  const first = await carl.call('GET', `${PATH}?limit=3`);
  const second = await carl.call('GET', `${PATH}?limit=3&cursor=${first.body.nextCursor}`);
  const seen = [...first.body.data, ...second.body.data].map(({ id }) => id);
  expect(seen).toEqual(kept);
  expect([first.body.hasMore, second.body.hasMore]).toEqual([true, false]);
});

test('a change and a deletion hold for the version of If-Match only, however it has fared since', async () => {
  const { id } = await addEndpoint(ada);
  const path = `${PATH}/${id}`;
  const tagOf = async () => (await ada.call('GET', path)).headers.get('etag') ?? '';
  const first = await tagOf();
  const body = { description: 'a' };
  const changed = await ada.call('PATCH', path, { body, headers: { 'if-match': first } });
  expect([changed.status, changed.headers.get('etag')]).toEqual([200, await tagOf()]);
  const stale = await ada.call('PATCH', path, { body, headers: { 'if-match': first } });
  expect([stale.status, stale.body.code]).toEqual([412, 'precondition_failed']);
  expect((await ada.call('DELETE', path, { headers: { 'if-match': first } })).status).toBe(412);

  const healthy = await tagOf();
  const read = () => ada.call('GET', path, { headers: { 'if-none-match': healthy } });
  expect((await read()).status).toBe(304);
  const failing = { failingSince: new Date(), failures: 1, pausedUntil: new Date() };
  await gateway.db.webhookEndpoint.updateMany({ where: { id }, data: failing });
  expect((await read()).status).toBe(200);
  const sick = await tagOf();
  expect(sick).not.toBe(healthy);
  for (const tag of [healthy, sick]) {
    const { version } = await gateway.db.webhookEndpoint.findUniqueOrThrow({ where: { id } });
    const again = await ada.call('PATCH', path, { body, headers: { 'if-match': tag } });
    expect(again.status).toBe(200);
    await gateway.db.webhookEndpoint.updateMany({ where: { id }, data: { version } });
  }
  expect((await ada.call('DELETE', path, { headers: { 'if-match': sick } })).status).toBe(204);
});

test('what was deleted is gone for every route, and so is what never was', async () => {
  const { id } = await addEndpoint(ada);
  expect((await ada.call('DELETE', `${PATH}/${id}`)).status).toBe(204);
  for (const gone of [id, newId()]) {
    const answers = [
      await ada.call('GET', `${PATH}/${gone}`),
      await ada.call('PATCH', `${PATH}/${gone}`, { body: { enabled: true } }),
      await ada.call('DELETE', `${PATH}/${gone}`),
      await ada.call('POST', `${PATH}/${gone}/rotate-secret`),
      await ada.call('POST', `${PATH}/${gone}/test`),
    ];
    expect(answers.map(({ status }) => status)).toEqual(Array(5).fill(404));
  }
  expect((await eventsOf(id)).map(({ type }) => type)).toEqual([
    'webhook_endpoint.created',
    'webhook_endpoint.deleted',
  ]);
});

test('who did what to an endpoint is written down', async () => {
  const { id } = await addEndpoint(ada);
  await ada.call('PATCH', `${PATH}/${id}`, { body: { enabled: false, ordered: true } });
  await ada.call('POST', `${PATH}/${id}/rotate-secret`, { body: { overlapSeconds: 5 } });
  await ada.call('DELETE', `${PATH}/${id}`);
  const entries = await gateway.db.auditEntry.findMany({
    where: { subjectId: id, subjectType: 'webhook_endpoint', actorId: ada.userId },
    orderBy: { id: 'asc' },
  });
  expect(entries.map(({ action, details }) => [action, details])).toEqual([
    ['webhook_endpoint.created', { host: '93.184.215.14', eventTypes: 'webhook_endpoint.test' }],
    [
      'webhook_endpoint.updated',
      { host: '93.184.215.14', changed: 'enabled ordered', enabled: false },
    ],
    ['webhook_endpoint.secret_rotated', { host: '93.184.215.14', overlapSeconds: 5 }],
    ['webhook_endpoint.deleted', { host: '93.184.215.14' }],
  ]);
});
