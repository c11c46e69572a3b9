import { until } from '@gatehouse/testing/condition';
import { startTcpProxy } from '@gatehouse/testing/tcp-proxy';
import { expect, onTestFinished, test } from 'vitest';
import { type Client, type Gateway, startGateway } from './harness.ts';

const BUDGETS = 'gatehouse:budget:*';

/** The statuses of so many requests, one after the other. */
async function statuses(count: number, send: () => Promise<{ status: number }>): Promise<number[]> {
  const all = [];
  for (let index = 0; index < count; index += 1) all.push((await send()).status);
  return all;
}

const listTasks = (gateway: Pick<Gateway, 'call'>, { token }: Client) =>
  gateway.call('GET', '/v1/tasks', { headers: { authorization: `Bearer ${token}` } });

test('an authenticated answer tells the budget; beyond it requests are refused', async () => {
  const gateway = await startGateway({ RATE_LIMIT_MAX: '5', RATE_LIMIT_WINDOW_SECONDS: '60' });
  const client = await gateway.client();
  const { headers } = await client.call('GET', '/v1/tasks');
  expect(headers.get('ratelimit-policy')).toBe('"default";q=5;w=60');
  expect(headers.get('ratelimit')).toMatch(/^"default";r=4;t=(59|60)$/);
  expect([...headers.keys()].filter((name) => name.startsWith('x-ratelimit'))).toEqual([]);
  const answers = [];
  for (let index = 0; index < 5; index += 1) answers.push(await client.call('GET', '/v1/tasks'));
  expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200, 429]);
  const [last] = answers.slice(-1);
  expect(last?.body.code).toBe('rate_limited');
  expect(Number(last?.headers.get('retry-after'))).toBeGreaterThan(0);
  expect(last?.headers.get('ratelimit')).toMatch(/^"default";r=0;t=\d+$/);
  for (const path of ['/health', '/ready', '/docs/', '/admin/login', '/openapi.json']) {
    const free = [];
    for (let index = 0; index < 6; index += 1) free.push(await gateway.call('GET', path));
    expect([path, new Set(free.map(({ status }) => status))]).toEqual([path, new Set([200])]);
    expect(free[0]?.headers.get('ratelimit')).toBeNull();
  }
});

test('attempts to log in share one tighter budget per address, also with the admin page', async () => {
  const gateway = await startGateway({ RATE_LIMIT_AUTH_MAX: '3' });
  const body = { email: 'nobody@example.com', password: 'wrong password' };
  const other = { email: 'other@example.com', password: 'right password', name: 'Other' };
  const attempts = [
    await gateway.call('POST', '/v1/auth/login', { body }),
    await gateway.call('POST', '/v1/auth/register', { body: other }),
    await gateway.call('POST', '/admin/login', {
      body: new URLSearchParams(body).toString(),
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
    }),
    await gateway.call('POST', '/v1/auth/login', { body }),
    await gateway.call('POST', '/v1/auth/register', { body: { ...other, email: 'x@example.com' } }),
  ];
  expect(attempts.map(({ status }) => status)).toEqual([401, 201, 401, 429, 429]);
  expect(attempts[0]?.headers.get('ratelimit-policy')).toBe('"default";q=3;w=60');
  expect(await gateway.db.user.count()).toBe(1);
  // What he may do once he is known is another budget.
  const headers = { authorization: `Bearer ${attempts[1]?.body.accessToken}` };
  expect((await gateway.call('GET', '/v1/account', { headers })).status).toBe(200);
});

test('two gateways share one budget', async () => {
  const gateway = await startGateway({ RATE_LIMIT_MAX: '5' });
  const replica = await gateway.replica();
  const client = await gateway.client();
  const there = await statuses(3, () => listTasks(replica, client));
  const here = await statuses(3, () => listTasks(gateway, client));
  expect([...there, ...here]).toEqual([200, 200, 200, 200, 200, 429]);
  expect((await listTasks(replica, client)).status).toBe(429);
  // Another account's is untouched.
  expect((await listTasks(replica, await gateway.client())).status).toBe(200);
});

test('who tries credentials is counted by his address, and nobody who has good ones with him', async () => {
  const gateway = await startGateway({ RATE_LIMIT_MAX: '4' });
  const client = await gateway.client();
  let guesses = 0;
  const guess = () => {
    guesses += 1;
    const authorization = `Bearer guess${guesses}`;
    return gateway.call('GET', '/v1/tasks', { headers: guesses % 2 ? { authorization } : {} });
  };
  expect(await statuses(6, guess)).toEqual([401, 401, 401, 401, 429, 429]);
  expect((await listTasks(gateway, client)).status).toBe(200);
});

test('the addresses of one IPv6 network are one client, and those of two are two', async () => {
  const gateway = await startGateway({ RATE_LIMIT_MAX: '2', TRUST_PROXY: '127.0.0.1' });
  const from = async (address: string) =>
    (await gateway.call('GET', '/v1/tasks', { headers: { 'x-forwarded-for': address } })).status;
  expect(await from('2001:db8:1:2::1')).toBe(401);
  expect(await from('2001:db8:1:2:ffff::2')).toBe(401);
  expect(await from('2001:0db8:1:2:abcd::3')).toBe(429);
  expect(await from('2001:db8:1:3::1')).toBe(401);
  // The same IPv4 client, however it is written.
  expect(await from('192.0.2.7')).toBe(401);
  expect(await from('::ffff:192.0.2.7')).toBe(401);
  expect(await from('192.0.2.7')).toBe(429);
});

test('a counter that has lost its expiry, or has one of a longer window, keeps nobody out', async () => {
  const gateway = await startGateway({ RATE_LIMIT_MAX: '2' });
  const client = await gateway.client();
  const { redis } = gateway.app;
  for (const spoil of [
    (key: string) => redis.persist(key),
    (key: string) => redis.pexpire(key, 86_400_000),
  ]) {
    await until(async () => (await listTasks(gateway, client)).status === 429, {
      what: 'the budget to be used up',
    });
    for (const key of await redis.keys(BUDGETS)) expect(await spoil(key)).toBe(1);
    expect((await listTasks(gateway, client)).status).toBe(200);
    const lifetimes = await Promise.all((await redis.keys(BUDGETS)).map((key) => redis.pttl(key)));
    expect(Math.max(...lifetimes)).toBeLessThanOrEqual(60_000);
    expect(Math.max(...lifetimes)).toBeGreaterThan(0);
  }
});

test('while Redis is away the budget holds in memory, and is shared again afterwards', async () => {
  const gateway = await startGateway({ RATE_LIMIT_MAX: '5' });
  const proxy = await startTcpProxy(gateway.redisUrl);
  onTestFinished(proxy.close);
  const replica = await gateway.replica({ REDIS_URL: proxy.url });
  const client = await gateway.client();
  // What was counted before is not forgotten.
  expect(await statuses(2, () => listTasks(replica, client))).toEqual([200, 200]);
  proxy.cut();
  await until(() => replica.app.redis.status !== 'ready', { what: 'Redis to be gone' });
  const without = await statuses(5, () => listTasks(replica, client));
  expect(without).toEqual([200, 200, 200, 429, 429]);
  const { headers } = await listTasks(replica, client);
  expect(headers.get('ratelimit')).toMatch(/^"default";r=0;t=\d+$/);
  expect(Number(headers.get('retry-after'))).toBeGreaterThan(0);

  proxy.heal();
  const other = await gateway.client();
  const key = `gatehouse:budget:requests:account:${other.accountId}`;
  await until(
    async () => {
      await listTasks(replica, other);
      return gateway.app.redis.get(key);
    },
    { what: 'Redis to count again' },
  );
});

test('while Redis hangs the budget holds as well, and not every request waits for it', async () => {
  const direct = await startGateway();
  const proxy = await startTcpProxy(direct.redisUrl);
  onTestFinished(proxy.close);
  const gateway = await direct.replica({ REDIS_URL: proxy.url, RATE_LIMIT_MAX: '50' });
  const client = await direct.client();
  expect((await listTasks(gateway, client)).status).toBe(200);
  proxy.swallow();
  const since = performance.now();
  const hanging = await statuses(100, () => listTasks(gateway, client));
  // A hundred that each waited as long as one may would take 25 seconds.
  expect(performance.now() - since).toBeLessThan(15_000);
  expect(hanging).toEqual([...Array(49).fill(200), ...Array(51).fill(429)]);
});

test('a Redis that refuses to count is done without', async () => {
  const gateway = await startGateway({ RATE_LIMIT_MAX: '3' });
  const client = await gateway.client();
  // Each command on it fails, as they do in a Redis that is full.
  const key = `gatehouse:budget:requests:account:${client.accountId}`;
  await gateway.app.redis.lpush(key, 'not a number');
  await gateway.app.redis.pexpire(key, 30_000);
  const answers = await statuses(5, () => listTasks(gateway, client));
  expect(answers).toEqual([200, 200, 200, 429, 429]);
});
