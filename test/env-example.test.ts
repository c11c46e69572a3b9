import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import { expect, it, onTestFinished } from 'vitest';
import { parseKeyList } from '../apps/api/src/auth/signing-keys.ts';
import * as api from '../apps/api/src/config.ts';
import * as worker from '../apps/worker/src/config.ts';
import * as local from '../packages/local/src/config.ts';
import { composeVariables } from './compose-file.ts';
import { readText, settingsOf, withEnvironment } from './repository.ts';

const TEXT = readText('.env.example');
const EXAMPLE = Object.fromEntries(
  Object.entries(parseEnv(TEXT)).map(([name, value = '']) => [name, value]),
);

const schemas = [settingsOf(api.schema), settingsOf(worker.schema)];

/** Settings whose default is not the same everywhere, so that the file leaves them empty. */
const DERIVED = ['PUBLIC_URL', 'WEBHOOK_ALLOW_PRIVATE', 'WEBHOOK_ALLOW_HTTP'];

/** What `npm start` reads; its configuration has no schema to ask. */
function settingsOfLocal(): string[] {
  const calls = readText('packages/local/src/config.ts').matchAll(
    /\b(?:text|integer|url)\('(\w+)'/g,
  );
  return [...calls].map(([, name = '']) => name);
}

it('has every setting that there is, once, and no other', () => {
  const names = [...TEXT.matchAll(/^(\w+)=/gm)].map(([, name]) => name);
  const known = [
    ...schemas.flatMap((one) => [...one.keys()]),
    ...settingsOfLocal(),
    ...composeVariables(),
  ];
  expect(settingsOfLocal()).toEqual(
    expect.arrayContaining(['PORT', 'GATEHOUSE_DIR', 'DATABASE_URL']),
  );
  expect(names.sort()).toEqual([...new Set(known)].sort());
});

it('says of each what it is', () => {
  const lines = TEXT.split('\n');
  const unexplained = lines.filter((line, index) => {
    const above = lines[index - 1] ?? '';
    return /^\w+=/.test(line) && !/^(# (?!---)|\w+=)/.test(above);
  });
  expect(unexplained).toEqual([]);
});

it('gives each the default that it has', () => {
  for (const settings of schemas) {
    for (const [name, fallback] of settings) {
      expect([name, EXAMPLE[name]]).toEqual([name, DERIVED.includes(name) ? '' : (fallback ?? '')]);
    }
  }
});

it('changes nothing when it is copied as it is', () => {
  // Set to nothing, and so not to what a developer has in `.env`.
  const unset = Object.fromEntries(Object.keys(EXAMPLE).map((name) => [name, '']));
  const read = (variables: Record<string, string>) =>
    withEnvironment(variables, () => {
      const { environment, ...config } = local.readConfig();
      return config;
    });
  expect(read(EXAMPLE)).toEqual(read(unset));
  expect(read({ ...unset, APIS: '2', GATEHOUSE_DIR: '/elsewhere' })).not.toEqual(read(unset));
});

/** Runs the command of the file beside an `.env`, or without one; returns what is in it then. */
function makeSecrets(before: string | null): string {
  const command = /^# +(node -e .* >> \.env)$/m.exec(TEXT)?.[1] ?? '';
  const dir = mkdtempSync(join(tmpdir(), 'gatehouse-secrets-'));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  const file = join(dir, '.env');
  if (before !== null) writeFileSync(file, before);
  execFileSync('bash', ['-c', command], { cwd: dir });
  return readFileSync(file, 'utf8');
}

it('has a command that makes the secrets', () => {
  const made = parseEnv(makeSecrets(null));
  const { AUTH_SECRET = '', AUTH_SIGNING_KEYS = '', WEBHOOK_SECRET_KEYS = '', ...others } = made;
  expect(others).toEqual({});
  expect(Buffer.from(AUTH_SECRET, 'base64url')).toHaveLength(32);
  expect(Buffer.from(WEBHOOK_SECRET_KEYS, 'base64url')).toHaveLength(32);
  expect(parseKeyList(AUTH_SIGNING_KEYS)).toHaveLength(1);
});

it('has a command that leaves secrets alone which are there', () => {
  const before = 'AUTH_SECRET=of-before\nWEBHOOK_SECRET_KEYS=\nAUTH_SIGNING_KEYS=of-before';
  const made = makeSecrets(before);
  expect(made.startsWith(before)).toBe(true);
  expect(parseEnv(made)).toEqual({
    AUTH_SECRET: 'of-before',
    AUTH_SIGNING_KEYS: 'of-before',
    WEBHOOK_SECRET_KEYS: expect.stringMatching(/^[\w-]{43}$/),
  });
  expect(makeSecrets(made)).toBe(made);
});
