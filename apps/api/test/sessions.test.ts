import { hashSecretToken } from '@gatehouse/domain/secret-token';
import { until } from '@gatehouse/testing/condition';
import { expect, test } from 'vitest';
import { type Gateway, type Reply, startGateway } from './harness.ts';

const CREDENTIALS = { email: 'ada@example.com', password: 'correct horse' };
const PERSON = { ...CREDENTIALS, name: 'Ada' };

interface Login {
  accessToken: string;
  refreshToken: string;
  cookie: string;
}

/** What a registration, a login or a refresh gave. */
function letIn({ status, headers, body }: Reply): Login {
  expect([200, 201]).toContain(status);
  const cookie = headers.getSetCookie().find((one) => one.startsWith('refresh_token=')) ?? '';
  const refreshToken = /^refresh_token=([^;]+)/.exec(cookie)?.[1] ?? '';
  return { accessToken: body.accessToken, refreshToken, cookie };
}

const register = async (gateway: Gateway): Promise<Login> =>
  letIn(await gateway.call('POST', '/v1/auth/register', { body: PERSON }));

const logIn = async (gateway: Gateway): Promise<Login> =>
  letIn(await gateway.call('POST', '/v1/auth/login', { body: CREDENTIALS }));

const refresh = (gateway: Gateway, refreshToken: string): Promise<Reply> =>
  gateway.call('POST', '/v1/auth/refresh', { body: { refreshToken } });

/** Who uses an access token is let in, or not. */
const statusOf = async (gateway: Gateway, { accessToken }: Pick<Login, 'accessToken'>) =>
  (await as(gateway, accessToken, 'GET', '/v1/account')).status;

const as = (gateway: Gateway, token: string, method: string, path: string): Promise<Reply> =>
  gateway.call(method, path, { headers: { authorization: `Bearer ${token}` } });

/** As if a token had been spent so many seconds earlier. */
const age = async (gateway: Gateway, token: string, seconds: number): Promise<void> => {
  const aged = await gateway.db.$executeRaw`
    UPDATE refresh_token SET spent_at = spent_at - make_interval(secs => ${seconds})
    WHERE hash = ${hashSecretToken(token)} AND spent_at IS NOT NULL`;
  expect(aged).toBe(1);
};

const actions = async ({ db }: Gateway): Promise<string[]> =>
  (await db.auditEntry.findMany({ orderBy: { id: 'asc' } })).map(({ action }) => action);

test('the refresh cookie is for the auth routes of this site only, and Secure over https', async () => {
  const plain = await startGateway();
  const { cookie } = await register(plain);
  expect(cookie).toMatch(/; Path=\/v1\/auth;/);
  expect(cookie).toContain('HttpOnly');
  expect(cookie).toContain('SameSite=Strict');
  expect(cookie).not.toContain('Secure');
  const secure = await plain.replica({ PUBLIC_URL: 'https://api.example.com' });
  expect((await logIn(secure)).cookie).toContain('; Secure');
});

test('a refresh token is exchanged for the next, by cookie or by body, and answers are not to be cached', async () => {
  const gateway = await startGateway();
  const first = await register(gateway);
  const answer = await gateway.call('POST', '/v1/auth/refresh', {
    headers: { cookie: `refresh_token=${first.refreshToken}` },
  });
  expect(answer.headers.get('cache-control')).toBe('no-store');
  expect(answer.body).toMatchObject({
    tokenType: 'Bearer',
    expiresIn: 900,
    user: { email: PERSON.email },
  });
  expect(answer.text).not.toContain('refreshToken');
  const second = letIn(answer);
  const third = letIn(await refresh(gateway, second.refreshToken));
  expect(new Set([first, second, third].map(({ refreshToken }) => refreshToken)).size).toBe(3);
  expect(await statusOf(gateway, third)).toBe(200);
  expect(await gateway.db.session.count()).toBe(1);
});

test('twenty refreshes at once, and one whose answer was lost, get the same successor', async () => {
  const gateway = await startGateway();
  const other = await gateway.replica();
  const { refreshToken } = await register(gateway);
  const answers = await Promise.all(
    Array.from({ length: 20 }, (_, index) =>
      refresh(index % 2 === 0 ? gateway : other, refreshToken),
    ),
  );
  const successors = new Set(answers.map((answer) => letIn(answer).refreshToken));
  expect(successors.size).toBe(1);
  await age(gateway, refreshToken, 9);
  const [successor = ''] = successors;
  expect(letIn(await refresh(gateway, refreshToken)).refreshToken).toBe(successor);
  expect((await refresh(gateway, successor)).status).toBe(200);
  expect(await gateway.db.refreshToken.count()).toBe(3);
});

test('a spent token that comes back later ends its session, for the thief and for the owner', async () => {
  const gateway = await startGateway();
  const elsewhere = await register(gateway);
  const stolen = await logIn(gateway);
  const next = letIn(await refresh(gateway, stolen.refreshToken));
  expect(await statusOf(gateway, next)).toBe(200);
  await age(gateway, stolen.refreshToken, 11);

  const replay = await refresh(gateway, stolen.refreshToken);
  expect([replay.status, replay.body.code]).toEqual([401, 'unauthorized']);
  expect(replay.headers.getSetCookie()[0]).toMatch(/^refresh_token=;/);
  expect(await statusOf(gateway, next)).toBe(401);
  expect((await refresh(gateway, next.refreshToken)).status).toBe(401);
  expect(await statusOf(gateway, elsewhere)).toBe(200);
  expect((await refresh(gateway, elsewhere.refreshToken)).status).toBe(200);
  expect(await actions(gateway)).toEqual([
    'auth.registered',
    'auth.logged_in',
    'auth.refresh_reused',
  ]);
});

test('also a token from long ago ends its session', async () => {
  const gateway = await startGateway();
  const { refreshToken: oldest } = await register(gateway);
  let token = oldest;
  for (let round = 0; round < 5; round += 1) {
    token = letIn(await refresh(gateway, token)).refreshToken;
  }
  await age(gateway, oldest, 86_400);
  expect((await refresh(gateway, oldest)).status).toBe(401);
  expect((await refresh(gateway, token)).status).toBe(401);
  expect(await gateway.db.session.count()).toBe(0);
});

test.each(['', 'x', 'x'.repeat(43), '\u0000', 'ü'.repeat(43), 'x'.repeat(129)])(
  'no session is refreshed with %j',
  async (refreshToken) => {
    const gateway = await startGateway();
    await register(gateway);
    expect([400, 401]).toContain((await refresh(gateway, refreshToken)).status);
    expect(await gateway.db.session.count()).toBe(1);
  },
);

test('without any token there is nothing to refresh, and nobody to log out', async () => {
  const gateway = await startGateway();
  for (const path of ['/v1/auth/refresh', '/v1/auth/logout']) {
    expect((await gateway.call('POST', path)).status).toBe(401);
    expect((await gateway.call('POST', path, { body: {} })).status).toBe(401);
  }
});

test('a cookie that the page of a foreign site has a browser send is refused; that of an allowed one is taken', async () => {
  const gateway = await startGateway({ CORS_ORIGINS: 'https://app.example.com' });
  const { refreshToken } = await register(gateway);
  const cookie = `refresh_token=${refreshToken}`;
  const send = (path: string, headers: Record<string, string>) =>
    gateway.call('POST', path, { headers: { cookie, ...headers } });
  for (const path of ['/v1/auth/refresh', '/v1/auth/logout']) {
    expect((await send(path, { origin: 'https://evil.example' })).status).toBe(403);
    expect((await send(path, { 'sec-fetch-site': 'cross-site' })).status).toBe(403);
    expect((await send(path, { origin: 'null' })).status).toBe(403);
  }
  const allowed = { origin: 'https://app.example.com', 'sec-fetch-site': 'same-site' };
  const answer = await send('/v1/auth/refresh', allowed);
  expect(answer.status).toBe(200);
  expect(answer.headers.get('access-control-allow-origin')).toBe(allowed.origin);
  expect(answer.headers.get('access-control-allow-credentials')).toBe('true');
});

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

test('a stolen table of tokens lets nobody in', async () => {
  const gateway = await startGateway();
  const first = await register(gateway);
  const second = letIn(await refresh(gateway, first.refreshToken));
  const rows = await gateway.db.refreshToken.findMany();
  for (const { hash, successor } of rows) {
    for (const bytes of [hash, successor ?? new Uint8Array()]) {
      for (const encoding of ['base64url', 'hex', 'latin1'] as const) {
        const text = Buffer.from(bytes).toString(encoding);
        expect(text).not.toContain(second.refreshToken);
        expect((await refresh(gateway, text.slice(0, 128))).status).not.toBe(200);
      }
    }
  }
  expect((await refresh(gateway, second.refreshToken)).status).toBe(200);
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
