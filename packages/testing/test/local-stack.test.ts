import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT, readConfig } from '@gatehouse/local/config';
import { expect, it, onTestFinished, vi } from 'vitest';
import {
  environmentWith,
  removeStackDir,
  startLocalStack,
  temporaryStackDir,
} from '../src/local-stack.ts';

const SETTINGS = [
  ...readFileSync(join(ROOT, '.env.example'), 'utf8').matchAll(/^(\w+)=/gm),
].flatMap(([, name]) => name ?? []);

function stackDir(): string {
  const dir = temporaryStackDir();
  onTestFinished(() => removeStackDir(dir));
  return dir;
}

it('knows nothing of what a developer has set, save what is no setting of ours', () => {
  onTestFinished(() => void vi.unstubAllEnvs());
  for (const name of SETTINGS) vi.stubEnv(name, 'what a developer has');
  vi.stubEnv('EDITOR', 'ed');
  const environment = environmentWith({ APIS: '2' });
  expect(environment).toMatchObject({ APIS: '2', EDITOR: 'ed', PATH: process.env.PATH });
  for (const [name, value] of Object.entries(environment)) vi.stubEnv(name, value);
  expect(readConfig()).toMatchObject({
    ports: [3000, 3001],
    databaseUrl: null,
    stripeSecretKey: null,
    webhookAllowHttp: 'true',
  });
  expect(SETTINGS.filter((name) => environment[name] !== '')).toEqual(['APIS']);
});

it('says what a stack printed that does not start', async () => {
  const starting = startLocalStack({ dir: stackDir(), settings: { WORKERS: 'many' } });
  await expect(starting).rejects.toThrow(/^the stack did not start:\n(.*\n)*.*WORKERS.*"many"/);
});

it('does not wait for one that was killed', async () => {
  const command = ['bash', '-c', 'echo so far; kill -9 $$'] as const;
  await expect(startLocalStack({ dir: stackDir(), command })).rejects.toThrow('so far');
});

it('takes no stack for its own that another run in its directory has left', async () => {
  const dir = stackDir();
  const command = ['bash', '-c', 'test ! -e "$GATEHOUSE_DIR/stack.json" && echo none'] as const;
  writeFileSync(join(dir, 'stack.json'), JSON.stringify({ pid: process.pid }));
  await expect(startLocalStack({ dir, command })).rejects.toThrow('none');
});

it('leaves of one that is deleted its logs, when they are asked for, and nothing else', () => {
  const dir = stackDir();
  for (const name of ['postgres', 'redis', 'mail', 'stripe', 'logs']) mkdirSync(join(dir, name));
  for (const name of ['secrets.json', 'signing-keys.json']) writeFileSync(join(dir, name), '{}');
  removeStackDir(dir, { keepLogs: true });
  expect(readdirSync(dir)).toEqual(['logs']);
  removeStackDir(dir);
  expect(existsSync(dir)).toBe(false);
});
