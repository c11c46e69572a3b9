import { newId } from '@gatehouse/domain/id';
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

test('no event tells the path of an endpoint, whatever happens to it', async () => {
  const secretPath = '/services/T0001/B0002/XoXoXo';
  const { id } = await addEndpoint(ada, { url: `${HOOK_URL}${secretPath}?token=XoXoXo` });
  const path = `${PATH}/${id}`;
  for (const body of [{ maxConcurrency: 1 }, { enabled: false }, { enabled: true }]) {
    await ada.call('PATCH', path, { body });
  }
  await ada.call('POST', `${path}/rotate-secret`);
  await ada.call('DELETE', path);
  const told = await eventsOf(gateway.db, id);
  expect(told.map(({ type }) => type.split('.')[1])).toEqual([
    ...['created', 'updated', 'disabled', 'enabled', 'secret_rotated', 'deleted'],
  ]);
  for (const { data } of told) expect(data).toMatchObject({ id, url: ORIGIN });
  expect(JSON.stringify(told)).not.toMatch(/XoXoXo|services/);
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
  expect((await eventsOf(gateway.db, id)).map(({ type }) => type)).toEqual([
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
