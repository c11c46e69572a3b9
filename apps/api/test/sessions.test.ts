import { until } from '@gatehouse/testing/condition';
import { expect, test } from 'vitest';
import { startGateway } from './harness.ts';
import { as, CREDENTIALS, letIn, logIn, refresh, register, statusOf } from './logins.ts';

test('a session ends when it is not used for long enough, and at its end however it is used', async () => {
  const gateway = await startGateway({
    SESSION_IDLE_SECONDS: '3600',
    SESSION_LIFETIME_SECONDS: '7200',
  });
  const { refreshToken } = await register(gateway);
  const idle = async () => {
    const [session] = await gateway.db.session.findMany();
    return [session?.expiresAt, session?.endsAt].map(
      (time) => ((time?.getTime() ?? 0) - (session?.lastUsedAt.getTime() ?? 0)) / 1_000,
    );
  };
  expect(await idle()).toEqual([3_600, 7_200]);
  await gateway.db.$executeRaw`UPDATE session SET ends_at = now() + interval '60 seconds'`;
  const next = letIn(await refresh(gateway, refreshToken));
  const [expires = 0, ends = 0] = await idle();
  expect(expires).toBe(ends);
  expect(ends).toBeLessThan(61);

  await gateway.db.$executeRaw`UPDATE session SET expires_at = now()`;
  await until(async () => (await statusOf(gateway, next)) === 401, {
    timeoutMs: 5_000,
    what: 'the access token of an ended session to stop',
  });
  expect((await refresh(gateway, next.refreshToken)).status).toBe(401);
});

test('logging out ends the session at once, here and in the other gateways within a second', async () => {
  const gateway = await startGateway();
  const replica = await gateway.replica();
  const [kept, ended] = [await register(gateway), await logIn(gateway)];
  expect([await statusOf(gateway, ended), await statusOf(replica, ended)]).toEqual([200, 200]);
  const loggedOut = await as(gateway, ended.accessToken, 'POST', '/v1/auth/logout');
  expect([loggedOut.status, loggedOut.text]).toEqual([204, '']);
  expect(await statusOf(gateway, ended)).toBe(401);
  await until(async () => (await statusOf(replica, ended)) === 401, {
    timeoutMs: 5_000,
    what: 'the replica to hear of it',
  });
  expect((await refresh(replica, ended.refreshToken)).status).toBe(401);
  expect((await as(gateway, ended.accessToken, 'POST', '/v1/auth/logout')).status).toBe(401);
  expect(await statusOf(replica, kept)).toBe(200);
});

test('who has only his refresh token left can log out with it', async () => {
  const gateway = await startGateway({ LOG_LEVEL: 'error' });
  const { accessToken, refreshToken } = await register(gateway);
  const loggedOut = await gateway.call('POST', '/v1/auth/logout', {
    headers: { cookie: `refresh_token=${refreshToken}`, authorization: 'Bearer run.out.long-ago' },
  });
  expect(loggedOut.status).toBe(204);
  expect(loggedOut.headers.getSetCookie()[0]).toMatch(/^refresh_token=;.*Path=\/v1\/auth/);
  expect(await statusOf(gateway, { accessToken })).toBe(401);
});

test('sessions are listed, revoked one by one and all but the one that asks', async () => {
  const gateway = await startGateway();
  const mine = await register(gateway);
  const stranger = await gateway.client();
  const [phone, laptop, tablet] = [
    await logIn(gateway),
    await logIn(gateway),
    await logIn(gateway),
  ];
  const list = async () =>
    (await as(gateway, mine.accessToken, 'GET', '/v1/auth/sessions')).body.data;
  const sessions = await list();
  expect(sessions.map(({ isCurrent }: { isCurrent: boolean }) => isCurrent)).toEqual([
    false,
    false,
    false,
    true,
  ]);
  expect(sessions[0]).toMatchObject({ address: '127.0.0.1', userAgent: expect.any(String) });
  expect(JSON.stringify(sessions)).not.toContain(mine.refreshToken);

  const path = `/v1/auth/sessions/${sessions[0].id}`;
  expect((await stranger.call('DELETE', path)).status).toBe(404);
  expect(await statusOf(gateway, tablet)).toBe(200);
  expect((await as(gateway, mine.accessToken, 'DELETE', path)).status).toBe(204);
  expect((await as(gateway, mine.accessToken, 'DELETE', path)).status).toBe(404);
  expect(await statusOf(gateway, tablet)).toBe(401);
  expect((await refresh(gateway, tablet.refreshToken)).status).toBe(401);

  expect((await as(gateway, mine.accessToken, 'DELETE', '/v1/auth/sessions')).status).toBe(204);
  const statuses = await Promise.all([phone, laptop, mine].map((one) => statusOf(gateway, one)));
  expect(statuses).toEqual([401, 401, 200]);
  expect(await list()).toHaveLength(1);
  expect((await stranger.call('GET', '/v1/account')).status).toBe(200);
});

test('a deactivated user is out at once: his tokens, his keys, his refreshes and his password', async () => {
  const gateway = await startGateway();
  const { accessToken, refreshToken } = await register(gateway);
  const made = await gateway.call('POST', '/v1/api-keys', {
    body: { name: 'bot' },
    headers: { authorization: `Bearer ${accessToken}` },
  });
  await gateway.db.user.updateMany({ data: { deactivatedAt: new Date() } });
  for (const token of [accessToken, made.body.key]) {
    await until(async () => (await statusOf(gateway, { accessToken: token })) === 401, {
      timeoutMs: 5_000,
      what: 'the credential to stop',
    });
  }
  expect((await refresh(gateway, refreshToken)).status).toBe(401);
  const login = await gateway.call('POST', '/v1/auth/login', { body: CREDENTIALS });
  expect([login.status, login.body.code]).toEqual([401, 'invalid_credentials']);
});

test('many requests while sessions end: each is let in or refused, and none fails', async () => {
  const gateway = await startGateway({ RATE_LIMIT_MAX: '0' });
  const kept = await register(gateway);
  const answers: number[] = [];
  const ask = async () => {
    for (let round = 0; round < 20; round += 1) answers.push(await statusOf(gateway, kept));
  };
  const comeAndGo = async () => {
    for (let round = 0; round < 5; round += 1) {
      const { accessToken } = await logIn(gateway);
      expect((await as(gateway, accessToken, 'POST', '/v1/auth/logout')).status).toBe(204);
    }
  };
  await Promise.all([...Array.from({ length: 10 }, ask), comeAndGo()]);
  expect(new Set(answers)).toEqual(new Set([200]));
});
