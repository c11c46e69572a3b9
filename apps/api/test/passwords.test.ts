import { argon2Sync } from 'node:crypto';
import { findUserByEmail, replacePasswordHash } from '@gatehouse/db/users';
import { lockWaiter } from '@gatehouse/testing/locks';
import { expect, test } from 'vitest';
import { hashPassword, needsRehash, verifyPassword } from '../src/auth/passwords.ts';
import { createTurns } from '../src/auth/turns.ts';
import { type Gateway, startGateway } from './harness.ts';

const PERSON = { email: 'ada.lovelace@example.com', password: 'correct horse', name: 'Ada Byron' };

/** Made by the reference implementation: echo -n password | argon2 somesalt -id -t 2 -m 16 -p 1 */
const FOREIGN =
  '$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc';

const register = ({ call }: Gateway, changes: object = {}) =>
  call('POST', '/v1/auth/register', { body: { ...PERSON, ...changes } });

const logIn = ({ call }: Gateway, password: string, email = PERSON.email) =>
  call('POST', '/v1/auth/login', { body: { email, password } });

const hashOf = async ({ db }: Gateway) => (await findUserByEmail(db, PERSON.email))?.passwordHash;

test('passwords are argon2id in PHC form, salted, and verified by their own parameters', async () => {
  const [one, two] = await Promise.all([hashPassword('secret'), hashPassword('secret')]);
  expect(one).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
  expect(one).not.toBe(two);
  expect(await verifyPassword('secret', one)).toBe(true);
  expect(await verifyPassword('Secret', one)).toBe(false);
  expect(await verifyPassword('secret', null)).toBe(false);
  expect(await verifyPassword('password', FOREIGN)).toBe(true);
});

test('a password is the same from every keyboard', async () => {
  const composed = 'Ünïcödé';
  const hash = await hashPassword(composed.normalize('NFD'));
  expect(await verifyPassword(composed.normalize('NFC'), hash)).toBe(true);
  // ﬁ as one character, and a full-width A.
  expect(await verifyPassword('ﬁＡ', await hashPassword('fiA'))).toBe(true);
  expect(await verifyPassword('fia', await hashPassword('fiA'))).toBe(false);
});

test.each([
  ['is ours', '', '', false],
  ['has less memory', 'm=19456', 'm=9216', true],
  ['has more passes', 't=2', 't=3', true],
  ['has more lanes', 'p=1', 'p=2', true],
])('a hash that %s is good, or is to be made anew', async (_, ours, other, isWorth) => {
  const hash = (await hashPassword('secret')).replace(ours, other);
  expect(needsRehash(hash)).toBe(isWorth);
});

/** A hash of `PERSON.password` with parameters that are no longer ours. */
function oldHash(): string {
  const nonce = Buffer.from('somesaltsomesalt');
  const parameters = { memory: 8_192, passes: 1, parallelism: 1, tagLength: 32 };
  const tag = argon2Sync('argon2id', { ...parameters, message: PERSON.password, nonce });
  const [salt, hash] = [nonce, tag].map((one) => one.toString('base64').replace(/=+$/, ''));
  return `$argon2id$v=19$m=8192,t=1,p=1$${salt}$${hash}`;
}

test('logins, even at once, bring an old hash to the parameters of today; a wrong password does not', async () => {
  const gateway = await startGateway();
  await register(gateway);
  const old = oldHash();
  await gateway.db.user.updateMany({ data: { passwordHash: old } });
  expect((await logIn(gateway, 'wrong')).status).toBe(401);
  expect(await hashOf(gateway)).toBe(old);

  const answers = await Promise.all([1, 2, 3, 4].map(() => logIn(gateway, PERSON.password)));
  expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
  const fresh = await hashOf(gateway);
  expect(fresh).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
  expect((await logIn(gateway, PERSON.password)).status).toBe(200);
  expect(await hashOf(gateway)).toBe(fresh);
});

test('a login never brings back the password that was changed while it went on', async () => {
  const gateway = await startGateway();
  await register(gateway);
  const { id } = (await findUserByEmail(gateway.db, PERSON.email)) ?? { id: '' };
  const old = oldHash();
  await gateway.db.user.updateMany({ data: { passwordHash: old } });
  const next = await hashPassword('another horse');
  const sessions = await gateway.db.session.count();
  const answer = await gateway.db.$transaction(async (tx) => {
    await replacePasswordHash(tx, id, { from: old, to: next });
    const login = logIn(gateway, PERSON.password);
    await lockWaiter(gateway.db);
    return { login };
  });
  expect((await answer.login).status).toBe(401);
  expect(await hashOf(gateway)).toBe(next);
  expect(await gateway.db.session.count()).toBe(sessions);
});

test('a login that is under way while the password is changed opens no session with the old one', async () => {
  const gateway = await startGateway();
  await register(gateway);
  const sessions = await gateway.db.session.count();
  const next = await hashPassword('another horse');
  const answer = await gateway.db.$transaction(async (tx) => {
    await tx.user.updateMany({ data: { passwordHash: next } });
    const login = logIn(gateway, PERSON.password);
    await lockWaiter(gateway.db);
    return { login };
  });
  expect((await answer.login).status).toBe(401);
  expect(await gateway.db.session.count()).toBe(sessions);
  expect((await logIn(gateway, 'another horse')).status).toBe(200);
});

test.each([
  ['one of the most common', 'iloveyou'],
  ['one of them in capitals', 'TRUSTNO1'],
  ['one of them in other characters', 'ｐａｓｓｗｏｒｄ'],
  ['the e-mail', 'Ada.Lovelace@example.com'],
  ['the part before the @', 'ada.lovelace'],
  ['that with a year', 'Ada.Lovelace1815'],
  ['the name', 'ada byron'],
  ['the name without its space, with digits around', '12AdaByron34'],
  ['our name', 'Gatehouse2026'],
])('%s is too easy a password', async (_, password) => {
  const gateway = await startGateway();
  const { status, body } = await register(gateway, { password });
  expect([status, body.code]).toEqual([400, 'validation_failed']);
  expect(body.errors).toEqual([
    { pointer: '/password', code: 'password_too_common', message: expect.any(String) },
  ]);
  expect(body.errors[0].message).not.toContain(password);
  expect(await gateway.db.user.count()).toBe(0);
});

test.each([
  ['eight characters of two units each', 201, '🐎'.repeat(8)],
  ['seven of them', 400, '🐎'.repeat(7)],
  ['128 of them', 201, '🐎'.repeat(128)],
  ['129', 400, 'x'.repeat(129)],
  ['any characters', 201, ' \t"\'<é>\u{1f40e}\n'],
  ['a common one that is only a part', 201, 'iloveyou not'],
  ['our name with more than digits', 201, 'gatehouse keeper'],
  ['NUL', 400, 'correct\0horse'],
  ['half a character', 400, 'correct\ud83dhorse'],
])('of a new password, %s are answered with %i', async (_, expected, password) => {
  const gateway = await startGateway();
  expect((await register(gateway, { password })).status).toBe(expected);
  if (expected === 201) expect((await logIn(gateway, password)).status).toBe(200);
});

test('when too many passwords wait to be hashed, more are turned away, of known users and unknown ones', {
  timeout: 60_000,
}, async () => {
  const gateway = await startGateway({ PASSWORD_HASHING_CONCURRENCY: '1' });
  await register(gateway);
  const attempts = Array.from({ length: 130 }, () => [PERSON.email, 'nobody@example.com']).flat();
  const answers = await Promise.all(
    attempts.map(async (email) => ({ email, ...(await logIn(gateway, 'wrong one', email)) })),
  );
  const refused = answers.filter(({ status }) => status === 503);
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([401, 503]));
  // One is hashed and a hundred wait.
  expect(answers.length - refused.length).toBeGreaterThanOrEqual(101);
  expect(new Set(refused.map(({ email }) => email))).toEqual(new Set(attempts));
  for (const { headers, body } of refused) {
    expect([headers.get('retry-after'), body.code]).toEqual(['2', 'service_unavailable']);
  }
  expect((await logIn(gateway, PERSON.password)).status).toBe(200);
});

test('work takes turns: so much at once, in order, and no more waits than may', async () => {
  const turns = createTurns({ atOnce: 2, waiting: 3, refuse: () => new Error('full') });
  const begun: number[] = [];
  const doors = Array.from({ length: 6 }, () => Promise.withResolvers<void>());
  const outcomes = doors.map(({ promise }, index) =>
    turns.take(async () => {
      begun.push(index);
      await promise;
      if (index === 0) throw new Error('failed');
      return index;
    }),
  );
  const settled = Promise.allSettled(outcomes);
  await expect(outcomes[5]).rejects.toThrow('full');
  expect(begun).toEqual([0, 1]);
  doors[0]?.resolve();
  await expect(outcomes[0]).rejects.toThrow('failed');
  expect(begun).toEqual([0, 1, 2]);
  for (const door of doors) door.resolve();
  expect((await settled).map(({ status }) => status)).toEqual([
    'rejected',
    ...Array(4).fill('fulfilled'),
    'rejected',
  ]);
  expect(begun).toEqual([0, 1, 2, 3, 4]);
  expect(await turns.take(async () => 'free again')).toBe('free again');
});
