import { setUserRole } from '@gatehouse/db/users';
import { until } from '@gatehouse/testing/condition';
import { expect, test } from 'vitest';
import { freshKey, type Gateway, order, startGateway } from './harness.ts';

/** Everything else asks for credentials. */
const PUBLIC = new Set([
  'get /health',
  'get /ready',
  'get /.well-known/jwks.json',
  'post /v1/auth/register',
  'post /v1/auth/login',
  'post /v1/auth/password/forgot',
  'post /v1/auth/password/reset',
  'post /webhooks/stripe',
  'get /v1/event-types',
]);

test('the API docs: every route is there, with its security and its statuses', async () => {
  const gateway = await startGateway();
  const { body } = await gateway.call('GET', '/openapi.json');
  expect(body.openapi).toBe('3.1.0');
  const routes = Object.entries<Record<string, { security: object[]; responses: object }>>(
    body.paths,
  ).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, spec]) => ({ id: `${method} ${path}`, ...spec })),
  );
  expect(routes.map(({ id }) => id)).toEqual(
    expect.arrayContaining([
      'post /v1/orders',
      'get /v1/positions/{symbol}',
      'patch /v1/tasks/{id}',
      'get /ready',
      'post /v1/admin/jobs/{id}/redrive',
    ]),
  );
  for (const { id, security, responses } of routes) {
    const isPublic = PUBLIC.has(id);
    expect([id, security.length > 0]).toEqual([id, !isPublic]);
    for (const scheme of security.flatMap(Object.keys))
      expect(['bearer', 'refresh']).toContain(scheme);
    if (!isPublic && !id.startsWith('post /v1/auth/'))
      expect(Object.keys(responses)).toEqual(expect.arrayContaining(['401', '403', '429', '500']));
    // Of a key that is in use, or another request's.
    if (/^(post|patch) \/v1\/(?!auth\/)/.test(id))
      expect([id, ...Object.keys(responses)]).toEqual(expect.arrayContaining(['409', '422']));
  }
  const keys = Object.entries<{ post?: { parameters?: { name: string; required: boolean }[] } }>(
    body.paths,
  ).flatMap(([path, { post }]) =>
    (post?.parameters ?? []).flatMap(({ name, required }) =>
      name === 'idempotency-key' && required ? [path] : [],
    ),
  );
  expect(keys.sort()).toEqual(['/v1/deposits', '/v1/orders']);
  expect(JSON.stringify(body)).not.toContain('x-required');
  const pages = routes.filter(({ id }) => / \/admin/.test(id));
  expect(pages).toEqual([]);
  const page = await gateway.call('GET', '/docs/');
  expect([page.status, page.text]).toEqual([200, expect.stringContaining('swagger-ui')]);
});

test('health asks nobody; ready tells each dependency', async () => {
  const gateway = await startGateway();
  expect((await gateway.call('GET', '/health')).body).toEqual({ status: 'ok' });
  expect((await gateway.call('GET', '/ready')).body).toEqual({
    status: 'ready',
    checks: { postgres: 'up', redis: 'up' },
  });
  gateway.app.redis.disconnect();
  const degraded = await gateway.call('GET', '/ready');
  expect([degraded.status, degraded.body.status]).toEqual([200, 'degraded']);
  expect((await gateway.call('GET', '/health')).status).toBe(200);
});

test('without Redis orders are accepted and replayed all the same', async () => {
  const gateway = await startGateway();
  const client = await gateway.client();
  gateway.app.redis.disconnect();
  const headers = freshKey();
  const answers = await Promise.all(
    Array.from({ length: 10 }, () => client.call('POST', '/v1/orders', { body: order(), headers })),
  );
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([201]));
  expect(new Set(answers.map(({ text }) => text)).size).toBe(1);
  expect(await gateway.db.order.count()).toBe(1);
  const other = await client.call('POST', '/v1/orders', {
    body: order({ quantity: '9' }),
    headers,
  });
  expect(other.status).toBe(422);
});

async function signIn(gateway: Gateway, role: 'user' | 'operator' | 'admin') {
  const person = { email: `${role}@example.com`, password: 'correct horse' };
  await gateway.call('POST', '/v1/auth/register', { body: { ...person, name: role } });
  await setUserRole(gateway.db, person.email, role);
  const answer = await gateway.call('POST', '/admin/login', {
    body: new URLSearchParams(person).toString(),
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
  });
  return { answer, cookie: answer.headers.get('set-cookie')?.split(';')[0] ?? '' };
}

test('Bull Board: not without a session, read-only for operators, all for admins', async () => {
  const gateway = await startGateway();
  const closed = await gateway.call('GET', '/admin/queues/');
  expect([closed.status, closed.headers.get('location')]).toEqual([302, '/admin/login']);
  expect((await gateway.call('GET', '/admin/queues/api/queues')).status).toBe(302);

  expect((await signIn(gateway, 'user')).answer.status).toBe(403);
  const operator = await signIn(gateway, 'operator');
  expect(operator.answer.status).toBe(303);
  expect(operator.answer.headers.get('set-cookie')).toMatch(/HttpOnly; SameSite=Strict/);
  const admin = await signIn(gateway, 'admin');
  const page = await gateway.call('GET', '/admin/queues/', { headers: { cookie: admin.cookie } });
  expect(page.text).toContain('<script');
  // What the policy for content forbids is not asked for.
  expect(page.text).not.toMatch(/(src|href)="(https?:)?\/\//);

  const board = (cookie: string, method = 'GET', path = '', headers = {}) =>
    gateway.call(method, `/admin/queues/api/queues${path}`, { headers: { cookie, ...headers } });
  const names = ({ body }: { body: { queues: { name: string; readOnlyMode: boolean }[] } }) =>
    body.queues.map(({ name, readOnlyMode }) => `${name} ${readOnlyMode}`).sort();
  expect(names(await board(operator.cookie))).toEqual([
    'mail true',
    'payments true',
    'schedules true',
    'tasks true',
    'trades true',
    'webhooks true',
  ]);
  expect(names(await board(admin.cookie))).toEqual([
    'mail false',
    'payments false',
    'schedules false',
    'tasks false',
    'trades false',
    'webhooks false',
  ]);

  expect((await board(operator.cookie, 'PUT', '/trades/pause')).status).toBe(403);
  expect(
    (await board(admin.cookie, 'PUT', '/trades/pause', { 'sec-fetch-site': 'cross-site' })).status,
  ).toBe(403);
  expect(await gateway.app.queues.trades.isPaused()).toBe(false);
  expect((await board(admin.cookie, 'PUT', '/trades/pause')).status).toBe(200);
  expect(await gateway.app.queues.trades.isPaused()).toBe(true);

  await setUserRole(gateway.db, 'admin@example.com', 'user');
  await until(async () => (await board(admin.cookie)).status === 302, {
    timeoutMs: 5_000,
    what: 'a role that was taken away to be gone',
  });
  const forged = admin.cookie.replace(/=[^.]+/, '=00000000-0000-7000-8000-000000000000');
  expect((await board(forged)).status).toBe(302);
});
