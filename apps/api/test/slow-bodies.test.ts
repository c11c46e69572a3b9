import { until } from '@gatehouse/testing/condition';
import { expect, test } from 'vitest';
import { type Gateway, startGateway } from './harness.ts';
import { newPerson, type Person } from './people.ts';
import { openRaw, rawAnswers } from './raw-http.ts';

/** A request whose body is begun, and waits to be ended. */
function begin(gateway: Gateway, { token }: Person, path: string, body: object) {
  const json = JSON.stringify(body);
  const connection = openRaw(gateway.url);
  connection.send(
    [
      `POST ${path} HTTP/1.1`,
      'Host: gateway',
      `Authorization: Bearer ${token}`,
      'Content-Type: application/json',
      `Content-Length: ${json.length}`,
      '',
      json.slice(0, 1),
    ].join('\r\n'),
  );
  return async (): Promise<number | undefined> => {
    connection.send(json.slice(1));
    await until(() => rawAnswers(connection.received()).length > 0, { what: 'the answer' });
    return rawAnswers(connection.received())[0]?.status;
  };
}

const isOut = async ({ call }: Person): Promise<boolean> =>
  (await call('GET', '/v1/users/me')).status === 401;

test('a session that ended while its body was on the way makes nothing', async () => {
  const gateway = await startGateway();
  const ada = await newPerson(gateway, 'user');
  const end = begin(gateway, ada, '/v1/api-keys', { name: 'for ever' });
  const inTime = begin(gateway, await ada.again(), '/v1/api-keys', { name: 'fine' });
  expect((await ada.call('GET', '/v1/users/me')).status).toBe(200);
  expect((await ada.call('POST', '/v1/auth/logout')).status).toBe(204);
  const since = performance.now();
  await until(() => performance.now() - since > 600, { what: 'the body to be late' });
  expect(await end()).toBe(401);
  expect(await inTime()).toBe(201);
  expect((await gateway.db.apiKey.findMany()).map(({ name }) => name)).toEqual(['fine']);
});

test('an admin who was none any more when his body came makes no other', async () => {
  const gateway = await startGateway();
  const [admin, other] = [await newPerson(gateway, 'admin'), await newPerson(gateway, 'admin')];
  const end = begin(gateway, admin, '/v1/users', {
    email: 'mine@example.com',
    name: 'Mine',
    role: 'admin',
    password: 'wild rhubarb orchestra',
  });
  expect((await admin.call('GET', '/v1/users')).status).toBe(200);
  const path = `/v1/users/${admin.userId}`;
  expect((await other.call('PATCH', path, { body: { active: false } })).status).toBe(200);
  await until(() => isOut(admin), { what: 'him to be out' });
  const since = performance.now();
  await until(() => performance.now() - since > 600, { what: 'the body to be late' });
  expect(await end()).toBe(401);
  expect(await gateway.db.user.count()).toBe(2);
});

test('bodies that never come take nobody’s place', async () => {
  const gateway = await startGateway({ MAX_REQUESTS_IN_FLIGHT: '5' });
  const ada = await newPerson(gateway, 'user');
  const open = Array.from({ length: 30 }, () => begin(gateway, ada, '/v1/tasks', { title: 'a' }));
  const since = performance.now();
  await until(
    async () => {
      expect((await ada.call('GET', '/v1/tasks')).status).toBe(200);
      return performance.now() - since > 1_000;
    },
    { what: 'a second to be over' },
  );
  // And come in the end, few at a time.
  for (const end of open.slice(0, 3)) expect(await end()).toBe(201);
});

test('a form that is larger than any login is refused before it is read', async () => {
  const gateway = await startGateway();
  const headers = { 'content-type': 'application/x-www-form-urlencoded' };
  for (const path of ['/admin/login', '/admin/logout']) {
    const body = `email=a&${'x=1&'.repeat(250_000)}`;
    expect([path, (await gateway.call('POST', path, { body, headers })).status]).toEqual([
      path,
      413,
    ]);
  }
});
