import { beforeAll, expect, test } from 'vitest';
import { afterFile, type Gateway, startGateway } from './harness.ts';
import { newPerson, type Person } from './people.ts';
import { eventsOf, ORIGIN, PATH } from './webhook-endpoint-scene.ts';
import { addEndpoint, HOOK_URL } from './webhook-scene.ts';

let gateway: Gateway;
let ada: Person;
beforeAll(async () => {
  gateway = await startGateway({ RATE_LIMIT_MAX: '0' }, afterFile);
  ada = await newPerson(gateway, 'user');
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
    expect((await eventsOf(gateway.db, id)).at(-1)).toMatchObject({
      type: 'webhook_endpoint.updated',
      data: { ...changed, url: ORIGIN },
    });
  }
  expect(await eventsOf(gateway.db, id)).toHaveLength(1 + changes.length);
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
  expect([await acts(), (await eventsOf(gateway.db, id)).length]).toEqual([before, 1]);
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
  expect([await acts(), (await eventsOf(gateway.db, id)).length]).toEqual([before + 1, 2]);
});

test('a change without members is refused', async () => {
  const { id } = await addEndpoint(ada);
  const { status } = await ada.call('PATCH', `${PATH}/${id}`, { body: {} });
  expect(status).toBe(400);
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
