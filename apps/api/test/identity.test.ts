import { expect, test } from 'vitest';
import { startGateway } from './harness.ts';

const PERSON = { email: 'Ada@Example.com', password: 'correct horse', name: 'Ada' };

test('registering gives a session and a paper account; the address is taken however it is spelled', async () => {
  const gateway = await startGateway({ PAPER_STARTING_CASH: '2500.50' });
  const { status, body } = await gateway.call('POST', '/v1/auth/register', { body: PERSON });
  expect(status).toBe(201);
  expect(body).toMatchObject({
    tokenType: 'Bearer',
    expiresIn: 900,
    user: { email: 'ada@example.com', role: 'user' },
  });
  expect(JSON.stringify(body)).not.toMatch(/argon2|password/i);
  const headers = { authorization: `Bearer ${body.accessToken}` };
  expect((await gateway.call('GET', '/v1/account', { headers })).body).toMatchObject({
    cash: '2500.50',
    buyingPower: '2500.50',
    equity: '2500.50',
  });
  const { data } = (await gateway.call('GET', '/v1/account/ledger', { headers })).body;
  expect(
    data.map(({ ledger, amount }: Record<string, string>) => `${ledger} ${amount}`).sort(),
  ).toEqual(['cash 2500.50', 'equity -2500.50']);
  const again = await gateway.call('POST', '/v1/auth/register', {
    body: { ...PERSON, email: 'ADA@example.com' },
  });
  expect([again.status, again.body.code]).toEqual([409, 'email_taken']);
});

test('of ten registrations of one address at once one succeeds', async () => {
  const gateway = await startGateway();
  const answers = await Promise.all(
    Array.from({ length: 10 }, () => gateway.call('POST', '/v1/auth/register', { body: PERSON })),
  );
  expect(answers.map(({ status }) => status).sort()).toEqual([201, ...Array(9).fill(409)]);
  expect(await gateway.db.account.count()).toBe(1);
});

test.each([
  ['an address without @', { email: 'ada' }],
  ['a short password', { password: '1234567' }],
  ['an over-long password', { password: 'x'.repeat(129) }],
  ['no name', { name: '' }],
  ['a role of his choice', { role: 'admin' }],
])('registering with %s is refused', async (_, changes) => {
  const gateway = await startGateway();
  const { status } = await gateway.call('POST', '/v1/auth/register', {
    body: { ...PERSON, ...changes },
  });
  expect(status).toBe(400);
  expect(await gateway.db.user.count()).toBe(0);
});

test('a wrong password and an unknown address get the same answer', async () => {
  const gateway = await startGateway();
  await gateway.call('POST', '/v1/auth/register', { body: PERSON });
  const right = await gateway.call('POST', '/v1/auth/login', {
    body: { email: 'ada@EXAMPLE.com', password: PERSON.password },
  });
  expect(right.status).toBe(200);
  const login = (email: string) =>
    gateway.call('POST', '/v1/auth/login', { body: { email, password: 'wrong' } });
  const [wrong, unknown] = [await login('ada@example.com'), await login('nobody@example.com')];
  for (const { status, headers, body } of [wrong, unknown]) {
    expect([status, body.code]).toEqual([401, 'invalid_credentials']);
    expect(headers.get('www-authenticate')).toBe('Bearer');
  }
  expect({ ...wrong.body, requestId: '' }).toEqual({ ...unknown.body, requestId: '' });
});
