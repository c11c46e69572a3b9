import { createPrivateKey } from 'node:crypto';
import { chmodSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { keepSigningKeys } from '../src/signing-keys.ts';
import { temporaryDir } from './temporary.ts';

const keysIn = (file: string) => JSON.parse(readFileSync(file, 'utf8')).keys;

test('are one Ed25519 key that signs by now and never retires, for its owner alone', () => {
  const file = join(temporaryDir(), 'signing-keys.json');
  keepSigningKeys(file);
  const [{ key, signsFrom, retiresAt }, ...others] = keysIn(file);
  expect(others).toEqual([]);
  expect(Date.parse(signsFrom)).toBeLessThanOrEqual(Date.now());
  expect(retiresAt).toBeNull();
  const der = Buffer.from(key, 'base64');
  const { asymmetricKeyType } = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
  expect(asymmetricKeyType).toBe('ed25519');
  expect(statSync(file).mode & 0o777).toBe(0o600);
});

test('are different in every checkout', () => {
  const [one, other] = [1, 2].map(() => {
    const file = join(temporaryDir(), 'signing-keys.json');
    keepSigningKeys(file);
    return keysIn(file)[0].key;
  });
  expect(one).not.toBe(other);
});

test('begin with the key of an older version', () => {
  const file = join(temporaryDir(), 'signing-keys.json');
  keepSigningKeys(file, 'MC4CAQ');
  expect(keysIn(file)).toMatchObject([{ key: 'MC4CAQ', retiresAt: null }]);
});

test('stay as they are when they are there, but are closed to others', () => {
  const file = join(temporaryDir(), 'signing-keys.json');
  writeFileSync(file, 'rotated', { mode: 0o644 });
  chmodSync(file, 0o644);
  keepSigningKeys(file, 'MC4CAQ');
  expect(readFileSync(file, 'utf8')).toBe('rotated');
  expect(statSync(file).mode & 0o777).toBe(0o600);
});
