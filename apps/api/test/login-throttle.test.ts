import { setUserRole } from '@gatehouse/db/users';
import { until } from '@gatehouse/testing/condition';
import { expect, test } from 'vitest';
import { type Gateway, type Reply, startGateway } from './harness.ts';

const ADA = { email: 'ada@example.com', password: 'wild rhubarb orchestra' };
const BOB = { email: 'bob@example.com', password: 'seven quiet lanterns' };
const HOME = '203.0.113.5';
const ELSEWHERE = '198.51.100.9';

interface Login {
  email?: string;
  password?: string;
  from?: string;
  /** As a browser has it: `device=…`. */
  cookie?: string;
}

/** A gateway behind a proxy, so that a test can call from any address. */
async function throttledGateway() {
  const gateway = await startGateway({ LOGIN_THROTTLE: 'true', TRUST_PROXY: '127.0.0.1' });
  return { gateway, ...through(gateway) };
}

function through({ call }: Pick<Gateway, 'call'>) {
  const headers = ({ from = HOME, cookie }: Login) => ({
    'x-forwarded-for': from,
    ...(cookie !== undefined && { cookie }),
  });
  return {
    register: async (person: typeof ADA): Promise<string> => {
      const reply = await call('POST', '/v1/auth/register', {
        body: { ...person, name: 'A' },
        headers: headers({}),
      });
      expect(reply.status).toBe(201);
      return deviceOf(reply);
    },
    /** With a wrong password, unless it is given. */
    login: (login: Login = {}): Promise<Reply> => {
      const { email = ADA.email, password = 'wrong' } = login;
      return call('POST', '/v1/auth/login', { body: { email, password }, headers: headers(login) });
    },
    adminLogin: (login: Login = {}): Promise<Reply> => {
      const { email = ADA.email, password = 'wrong' } = login;
      return call('POST', '/admin/login', {
        body: new URLSearchParams({ email, password }).toString(),
        headers: { ...headers(login), 'content-type': 'application/x-www-form-urlencoded' },
      });
    },
  };
}

function deviceCookie({ headers }: Reply): string {
  return headers.getSetCookie().find((one) => one.startsWith('device=')) ?? '';
}

function deviceOf(reply: Reply): string {
  return deviceCookie(reply).split(';')[0] ?? '';
}

async function times(count: number, send: () => Promise<Reply>): Promise<Reply[]> {
  const replies = [];
  for (let index = 0; index < count; index += 1) replies.push(await send());
  return replies;
}

/** Failures that are looked at: the first ten, and one of this minute. */
const LOOKED_AT = 11;
/** Failures of all unknown devices for one e-mail, before they are slowed down. */
const STRANGERS_MAY = 120;
const guessed = (refused: number) => [...Array(LOOKED_AT).fill(401), ...Array(refused).fill(429)];

const statusesOf = (replies: readonly Reply[]) => replies.map(({ status }) => status);

test('after its failures an address waits for a minute, and the owner at another address does not', async () => {
  const { login, register } = await throttledGateway();
  await register(ADA);
  const guesses = await times(LOOKED_AT + 2, () => login({ from: ELSEWHERE }));
  expect(statusesOf(guesses)).toEqual(guessed(2));
  const [last] = guesses.slice(-1);
  expect(last?.body.code).toBe('rate_limited');
  const wait = Number(last?.headers.get('retry-after'));
  expect(wait).toBeGreaterThan(0);
  expect(wait).toBeLessThanOrEqual(60);
  // What is right is not told apart from what is wrong, nor is the e-mail by how it is spelled.
  const right = { from: ELSEWHERE, password: ADA.password };
  expect((await login(right)).status).toBe(429);
  expect((await login({ ...right, email: 'ADA@Example.com' })).status).toBe(429);
  const owner = await times(6, () => login({ from: HOME, password: ADA.password }));
  expect(statusesOf(owner)).toEqual(Array(6).fill(200));
  // Nor is anybody else at that address kept out.
  await register(BOB);
  expect((await login({ ...BOB, from: ELSEWHERE })).status).toBe(200);
});

test('an e-mail that nobody has is answered in the same way', async () => {
  const { login, register } = await throttledGateway();
  await register(ADA);
  const said = (replies: readonly Reply[]) =>
    replies.map(({ status, body, headers }) => [
      status,
      { ...body, requestId: '' },
      headers.has('retry-after'),
      headers.get('set-cookie'),
    ]);
  const known = await times(LOOKED_AT + 2, () => login());
  const unknown = await times(LOOKED_AT + 2, () => login({ email: 'nobody@example.com' }));
  expect(said(unknown)).toEqual(said(known));
});

test('of fifty guesses at once, at two gateways, no more are looked at than in turn', async () => {
  const { gateway, login, register } = await throttledGateway();
  await register(ADA);
  const there = through(await gateway.replica());
  const guesses = await Promise.all(
    Array.from({ length: 50 }, (_, index) => (index % 2 ? login() : there.login())),
  );
  expect(statusesOf(guesses).sort()).toEqual(guessed(50 - LOOKED_AT));
  const failures = await gateway.db.auditEntry.count({ where: { action: 'auth.login_failed' } });
  expect(failures).toBe(LOOKED_AT);
});

test('what succeeds is not counted', async () => {
  const { login, register } = await throttledGateway();
  await register(ADA);
  const right = () => login({ password: ADA.password });
  const some = LOOKED_AT - 2;
  expect(statusesOf(await times(some, () => login()))).toEqual(Array(some).fill(401));
  expect(statusesOf(await times(LOOKED_AT, right))).toEqual(Array(LOOKED_AT).fill(200));
  expect(statusesOf(await times(3, () => login()))).toEqual([401, 401, 429]);
  expect((await right()).status).toBe(429);
});

test('who shares an address with a guesser is let in once a minute', async () => {
  const { gateway, login, register } = await throttledGateway();
  await register(ADA);
  expect(statusesOf(await times(LOOKED_AT + 2, () => login()))).toEqual(guessed(2));
  const { redis } = gateway.app;
  const [minute = ''] = await redis.keys('gatehouse:budget:login:*:one-more');
  expect(await redis.pttl(minute)).toBeLessThanOrEqual(60_000);
  // A minute later, at a gateway that has not counted for itself.
  await redis.del(minute);
  const there = through(await gateway.replica());
  expect((await there.login({ password: ADA.password })).status).toBe(200);
});

test('many addresses together are slowed down, and the devices of the owner are not', async () => {
  const { gateway, login, register } = await throttledGateway();
  const device = await register(ADA);
  expect((await login({ from: '192.0.2.1' })).status).toBe(401);
  const { redis } = gateway.app;
  const [counted = ''] = await redis.keys('gatehouse:budget:login:strangers:*');
  expect(await redis.get(counted)).toBe('1');
  // As if many addresses had failed, all but once of what they may.
  await redis.set(counted, STRANGERS_MAY - 1, 'KEEPTTL');
  expect((await login({ from: '192.0.2.2' })).status).toBe(401);
  // One of many gets through, and how soon the next one may is told.
  const strangers = await Promise.all(
    Array.from({ length: 20 }, (_, index) => login({ from: `100.64.0.${index}` })),
  );
  const refused = strangers.filter(({ status }) => status === 429);
  expect(refused.length).toBeGreaterThanOrEqual(15);
  expect(statusesOf(strangers)).not.toContain(200);
  for (const { headers } of refused) {
    expect(Number(headers.get('retry-after'))).toBeGreaterThan(0);
    expect(Number(headers.get('retry-after'))).toBeLessThanOrEqual(5);
  }
  const mine = { password: ADA.password, cookie: device, from: '100.64.9.9' };
  expect(statusesOf(await times(3, () => login(mine)))).toEqual([200, 200, 200]);
  // On a new device he has to wait for his turn, and has one: attempts that are refused use nothing up.
  const entered = await until(
    async () => {
      const reply = await login({ password: ADA.password, from: '100.64.8.8' });
      return reply.status === 200 && reply;
    },
    { what: 'the owner to get in on a new device', timeoutMs: 30_000 },
  );
  // From now on it is known.
  const known = { password: ADA.password, cookie: deviceOf(entered), from: '100.64.7.7' };
  expect(statusesOf(await times(3, () => login(known)))).toEqual([200, 200, 200]);
  // Others are not slowed down.
  await register(BOB);
  expect(statusesOf(await times(3, () => login({ ...BOB, from: '100.64.0.1' })))).toEqual([
    200, 200, 200,
  ]);
  const failed = await gateway.db.auditEntry.count({ where: { action: 'auth.login_failed' } });
  expect(failed).toBeLessThan(6);
});

test('a known device has a budget of its own, which is nobody else’s', async () => {
  const { gateway, login, register } = await throttledGateway();
  const [device, bobs] = [await register(ADA), await register(BOB)];
  await times(LOOKED_AT, () => login());
  const right = { password: ADA.password };
  const [, value = ''] = device.split('device=');
  const [owner = '', id, issuedAt, mac] = value.split('.');
  const forgeries = [
    bobs,
    `device=${bobs.split('=')[1]?.replace(/^[^.]+/, owner)}`,
    `device=${owner}.${id}.${issuedAt}.`,
    `device=${owner}.x${id}.${issuedAt}.${mac}`,
    `device=${owner}.${id}.${Number(issuedAt) + 1}.${mac}`,
    'device=x',
  ];
  for (const cookie of forgeries) {
    expect([cookie, (await login({ ...right, cookie })).status]).toEqual([cookie, 429]);
  }
  expect((await login({ ...right, cookie: device })).status).toBe(200);
  // Also when the secret has been replaced, for as long as the old one is kept.
  const { AUTH_SECRET } = gateway.config;
  const fresh = 'x'.repeat(40);
  const rotated = through(await gateway.replica({ AUTH_SECRET: `${fresh},${AUTH_SECRET}` }));
  expect((await rotated.login({ ...right, cookie: device })).status).toBe(200);
  const replaced = through(await gateway.replica({ AUTH_SECRET: fresh }));
  expect((await replaced.login({ ...right, cookie: device })).status).toBe(429);
  // It can be guessed on as little as anywhere else, from whatever address.
  let count = 0;
  const onDevice = await times(LOOKED_AT + 2, () => {
    count += 1;
    return login({ cookie: device, from: `192.0.2.${count}` });
  });
  expect(statusesOf(onDevice)).toEqual(guessed(2));
});

test('the cookie of a device is signed, for a year, and for nobody but the login', async () => {
  const { gateway, login, register, adminLogin } = await throttledGateway();
  await register(ADA);
  await setUserRole(gateway.db, ADA.email, 'operator');
  const attributes = (path: string) =>
    new RegExp(
      `^device=[\\w-]+(\\.[\\w-]+){3}; Max-Age=31536000; Path=${path}; HttpOnly; SameSite=Strict$`,
    );
  const entered = await login({ password: ADA.password });
  expect(deviceCookie(entered)).toMatch(attributes('/v1/auth'));
  expect(deviceCookie(await login())).toBe('');
  const atAdmin = await adminLogin({ password: ADA.password });
  expect(atAdmin.status).toBe(303);
  expect(deviceCookie(atAdmin)).toMatch(attributes('/admin/login'));
  const secure = through(await gateway.replica({ PUBLIC_URL: 'https://api.example' }));
  expect(deviceCookie(await secure.login({ password: ADA.password }))).toContain('; Secure');
});

test('the admin page and the API count together', async () => {
  const { gateway, login, adminLogin, register } = await throttledGateway();
  await register(ADA);
  await setUserRole(gateway.db, ADA.email, 'admin');
  const cookie = deviceOf(await adminLogin({ password: ADA.password }));
  const some = LOOKED_AT - 3;
  expect(statusesOf(await times(some, () => login()))).toEqual(Array(some).fill(401));
  expect(statusesOf(await times(4, () => adminLogin()))).toEqual([401, 401, 401, 429]);
  expect((await login({ password: ADA.password })).status).toBe(429);
  expect((await adminLogin({ password: ADA.password, cookie })).status).toBe(303);
});

test('while Redis is away failures are counted all the same', async () => {
  const { gateway, login, register } = await throttledGateway();
  await register(ADA);
  gateway.app.redis.disconnect();
  expect(statusesOf(await times(LOOKED_AT + 2, () => login()))).toEqual(guessed(2));
  expect((await login({ password: ADA.password, from: ELSEWHERE })).status).toBe(200);
});

test('who guesses the current password of a session waits as well, and the logins of its owner do not', async () => {
  const { gateway, login, register } = await throttledGateway();
  await register(ADA);
  const { body } = await login({ password: ADA.password });
  const change = (currentPassword: string) =>
    gateway.call('POST', '/v1/auth/password/change', {
      body: { currentPassword, password: 'thirteen calm otters' },
      headers: { authorization: `Bearer ${body.accessToken}`, 'x-forwarded-for': HOME },
    });
  const guesses = await times(LOOKED_AT + 1, () => change('wrong'));
  expect(statusesOf(guesses)).toEqual([...Array(LOOKED_AT).fill(422), 429]);
  expect((await change(ADA.password)).status).toBe(429);
  const recorded = { action: 'password.change_failed' };
  expect(await gateway.db.auditEntry.count({ where: recorded })).toBe(LOOKED_AT);
  expect((await login({ password: ADA.password })).status).toBe(200);
});

test('it can be switched off', async () => {
  const gateway = await startGateway({ LOGIN_THROTTLE: 'false' });
  const { login } = through(gateway);
  expect(statusesOf(await times(7, () => login()))).toEqual(Array(7).fill(401));
});
