import { hashSecretToken, newSecretToken } from '@gatehouse/domain/secret-token';
import { expect, test } from 'vitest';
import { signIn } from './board-page.ts';
import { type Gateway, startGateway } from './harness.ts';
import { bearer, newPerson } from './people.ts';

const PASSWORDS = ['battery staple', 'ladder violin', 'walnut harbour', 'quiet lantern'] as const;

/** What a session of every kind of request made of secrets, as it met them. */
async function liveThrough(gateway: Gateway): Promise<string[]> {
  const { call, db } = gateway;
  const secrets: string[] = [...PASSWORDS, 'correct horse', 'wrong horse'];
  const [registered, changed, reset, given] = PASSWORDS;
  const email = 'ada@example.com';
  const post = (path: string, body: object, token?: string) =>
    (token === undefined ? call : bearer(call, token))('POST', path, { body });
  const letIn = (answer: Awaited<ReturnType<typeof post>>): string => {
    expect(answer.status).toBeLessThan(300);
    const cookie = /refresh_token=([^;]+)/.exec(answer.headers.get('set-cookie') ?? '')?.[1] ?? '';
    secrets.push(answer.body.accessToken, cookie);
    return answer.body.accessToken;
  };
  const ada = await post('/v1/auth/register', { email, password: registered, name: 'Ada' });
  const first = letIn(ada);
  await post('/v1/auth/login', { email, password: 'wrong horse' });
  // Typed into the wrong field.
  await post('/v1/auth/login', { email: registered, password: email });
  const refreshToken = secrets.at(-1);
  letIn(await post('/v1/auth/refresh', { refreshToken }));
  letIn(await post('/v1/auth/refresh', { refreshToken }));
  await db.refreshToken.updateMany({ data: { spentAt: new Date(0) } });
  expect((await post('/v1/auth/refresh', { refreshToken })).status).toBe(401);
  const token = letIn(await post('/v1/auth/login', { email, password: registered }));
  expect((await call('GET', '/v1/account', bearerOf(first))).status).toBe(401);

  const made = await post('/v1/api-keys', { name: 'bot' }, token);
  const rotated = await post(`/v1/api-keys/${made.body.id}/rotate`, {}, token);
  secrets.push(made.body.key, rotated.body.key);
  await bearer(call, rotated.body.key)('GET', '/v1/users/me');
  const change = { currentPassword: registered, password: changed };
  await post('/v1/auth/password/change', change, token);
  await bearer(call, token)('DELETE', `/v1/api-keys/${made.body.id}`);
  await post('/v1/auth/password/forgot', { email });
  const resetToken = newSecretToken();
  const hash = hashSecretToken(resetToken);
  const { id: userId } = ada.body.user;
  const expiresAt = new Date(Date.now() + 3_600_000);
  await db.passwordResetToken.createMany({ data: [{ hash, userId, expiresAt }] });
  secrets.push(resetToken, ...spellings(hash), ...(await hashes(gateway)));
  await post('/v1/auth/password/reset', { token: resetToken, password: reset });
  const again = letIn(await post('/v1/auth/login', { email, password: reset }));
  await bearer(call, again)('DELETE', '/v1/auth/sessions');

  const admin = await newPerson(gateway, 'admin');
  secrets.push(admin.token);
  const body = { email: 'bob@example.com', name: 'Bob', password: given };
  const bob = await admin.call('POST', '/v1/users', { body });
  await admin.call('PATCH', `/v1/users/${bob.body.id}`, { body: { role: 'operator' } });
  await admin.call('PATCH', `/v1/users/${bob.body.id}`, { body: { active: false } });
  await post('/v1/auth/logout', {}, again);
  const cookie = await signIn(gateway, 'admin');
  secrets.push(cookie.replace(/^admin_session=/, ''));
  await call('PUT', '/admin/queues/api/queues/mail/pause', { headers: { cookie }, body: {} });
  return [...secrets, ...(await hashes(gateway))];
}

const bearerOf = (token: string) => ({ headers: { authorization: `Bearer ${token}` } });

/** What the database keeps of secrets, in every spelling. */
async function hashes({ db }: Gateway): Promise<string[]> {
  const [users, keys, tokens] = await Promise.all([
    db.user.findMany(),
    db.apiKey.findMany(),
    db.refreshToken.findMany(),
  ]);
  const bytes = [
    ...keys.flatMap(({ keyHash, previousKeyHash }) => [keyHash, previousKeyHash]),
    ...tokens.flatMap(({ hash, successor }) => [hash, successor]),
  ];
  return [
    ...users.map(({ passwordHash }) => passwordHash),
    ...bytes.flatMap((one) => (one === null ? [] : spellings(one))),
  ];
}

const spellings = (bytes: Uint8Array) =>
  (['hex', 'base64', 'base64url'] as const).map((spelling) =>
    Buffer.from(bytes).toString(spelling),
  );

test('no password, token, key or hash is in the audit log, whatever somebody does', async () => {
  const gateway = await startGateway();
  const secrets = await liveThrough(gateway);
  const entries = await gateway.db.auditEntry.findMany();
  const actions = new Set(entries.map(({ action }) => action));
  expect([...actions].sort()).toEqual(
    expect.arrayContaining([
      'api_key.created',
      'api_key.revoked',
      'api_key.rotated',
      'auth.logged_in',
      'auth.logged_out',
      'auth.login_failed',
      'auth.refresh_reused',
      'auth.registered',
      'board.acted',
      'password.changed',
      'password.reset',
      'session.revoked',
      'user.created',
      'user.deactivated',
      'user.role_changed',
    ]),
  );
  const log = JSON.stringify(entries);
  expect(secrets.filter((secret) => secret.length < 8)).toEqual([]);
  expect(secrets.length).toBeGreaterThan(40);
  for (const secret of secrets) expect(log).not.toContain(secret);
});
