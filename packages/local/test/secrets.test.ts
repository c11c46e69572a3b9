import { chmodSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { loadSecrets, saveSecrets } from '../src/secrets.ts';
import { temporaryDir } from './temporary.ts';

test('are made once and are the same ever after', () => {
  const file = join(temporaryDir(), 'secrets.json');
  const made = loadSecrets(file);
  expect(loadSecrets(file)).toEqual(made);
  const seeded = { ...made, seeded: { database: 'embedded', apiKey: 'gh_key' } };
  saveSecrets(file, seeded);
  expect(loadSecrets(file)).toEqual(seeded);
});

test('are different in every checkout', () => {
  const [one, other] = [1, 2].map(() => loadSecrets(join(temporaryDir(), 'secrets.json')));
  expect(one?.authSecret).not.toBe(other?.authSecret);
  expect(one?.databasePassword).not.toBe(other?.databasePassword);
});

test('are for their owner alone, also when somebody opened the file up', () => {
  const file = join(temporaryDir(), 'secrets.json');
  loadSecrets(file);
  expect(statSync(file).mode & 0o777).toBe(0o600);
  chmodSync(file, 0o644);
  loadSecrets(file);
  expect(statSync(file).mode & 0o777).toBe(0o600);
});

test('hold 32 random bytes, and no signing key', () => {
  const { authSecret, authSigningKey } = loadSecrets(join(temporaryDir(), 'secrets.json'));
  expect(Buffer.from(authSecret, 'base64url')).toHaveLength(32);
  expect(authSigningKey).toBeUndefined();
});

test('of an older version keep its signing key', () => {
  const file = join(temporaryDir(), 'secrets.json');
  const older = { ...loadSecrets(file), authSigningKey: 'MC4CAQ' };
  writeFileSync(file, JSON.stringify(older));
  expect(loadSecrets(file)).toEqual(older);
});

test.each([
  ['stripeSecretKey', /^sk_test_\w{48}$/],
  ['webhookSecretKey', /^[\w-]{43}$/],
] as const)('of an older version get a %s, the same ever after', (name, pattern) => {
  const file = join(temporaryDir(), 'secrets.json');
  const { [name]: first, ...older } = loadSecrets(file);
  expect(first).toMatch(pattern);
  writeFileSync(file, JSON.stringify(older));
  const mended = loadSecrets(file);
  expect(mended).toEqual({ ...older, [name]: expect.stringMatching(pattern) });
  expect(mended[name]).not.toBe(first);
  expect(loadSecrets(file)).toEqual(mended);
});

test.each(['', '{', '{"databasePassword":"x"}', 'null'])(
  'are never replaced when they read %j',
  (text) => {
    const file = join(temporaryDir(), 'secrets.json');
    writeFileSync(file, text);
    expect(() => loadSecrets(file)).toThrow('--fresh');
  },
);
