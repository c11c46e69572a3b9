import { hashSecretToken } from '@gatehouse/domain/secret-token';
import { expect, test } from 'vitest';
import { type Gateway, startGateway } from './harness.ts';
import { letIn, logIn, PERSON, refresh, register, statusOf } from './logins.ts';

/** As if a token had been spent so many seconds ago. */
const age = async (gateway: Gateway, token: string, seconds: number): Promise<void> => {
  const aged = await gateway.db.$executeRaw`
    UPDATE refresh_token SET spent_at = clock_timestamp() - make_interval(secs => ${seconds})
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
  // With some seconds to spare for a machine that has other work.
  await age(gateway, refreshToken, 5);
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
  const preflight = await gateway.call('OPTIONS', '/v1/users/me', {
    headers: { ...allowed, 'access-control-request-method': 'PATCH' },
  });
  expect(preflight.headers.get('access-control-allow-methods')).toMatch(/PATCH.*DELETE/);
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
