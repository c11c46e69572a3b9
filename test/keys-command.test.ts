import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { keysOf, parseKeyFile, parseKeyList } from '../apps/api/src/auth/signing-keys.ts';
import { newSigningKey } from '../packages/domain/src/signing-key.ts';
import { ROOT } from './repository.ts';

interface Outcome {
  code: number;
  stdout: string;
  stderr: string;
}

/** Runs the command as a process, as `npm run keys:rotate` does. Set to nothing, `.env` cannot set what is not given. */
function rotate(args: string[], environment: Record<string, string> = {}): Promise<Outcome> {
  const none = { AUTH_SIGNING_KEYS: '', AUTH_SIGNING_KEYS_FILE: '', GATEHOUSE_DIR: folder() };
  const env = { PATH: process.env.PATH, ...none, ...environment };
  return new Promise((resolve) => {
    const options = { cwd: ROOT, env };
    execFile(process.execPath, ['scripts/keys.ts', ...args], options, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code ?? -1), stdout, stderr });
    });
  });
}

function folder(): string {
  const dir = mkdtempSync(join(tmpdir(), 'gatehouse-keys-'));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

/** A folder with a file of one key that signs. */
function folderWithKeys() {
  const dir = folder();
  const file = join(dir, 'signing-keys.json');
  const signsFrom = new Date(Date.now() - 1_000).toISOString();
  const keys = [{ key: newSigningKey(), signsFrom, retiresAt: null }];
  writeFileSync(file, JSON.stringify({ keys }), { mode: 0o644 });
  return { dir, file };
}

const keysIn = (file: string) => keysOf(parseKeyFile(readFileSync(file, 'utf8')), Date.now());

it('adds a key that signs after the lead, and retires the other 960 s later', async () => {
  const { file } = folderWithKeys();
  const [old] = keysIn(file);
  const before = Date.now();
  const { code, stdout, stderr } = await rotate(['--lead', '90', '--file', file]);
  expect([code, stderr]).toEqual([0, '']);
  const [kept, added, ...others] = keysIn(file);
  expect(others).toEqual([]);
  expect([kept?.kid, added?.retiresAt]).toEqual([old?.kid, null]);
  const lead = (Number(added?.signsFrom) - before) / 1_000;
  expect(lead).toBeGreaterThanOrEqual(90);
  expect(lead).toBeLessThan(120);
  expect(Number(kept?.retiresAt) - Number(added?.signsFrom)).toBe(960_000);
  expect(statSync(file).mode & 0o777).toBe(0o600);
  for (const time of [Number(added?.signsFrom), Number(kept?.retiresAt)]) {
    expect(stdout).toContain(new Date(time).toISOString());
  }
  // What is printed ends in somebody's log.
  expect(stdout).not.toContain(JSON.parse(readFileSync(file, 'utf8')).keys[1].key);
});

it('begins no second rotation before the new key signs, unless it is forced', async () => {
  const { file } = folderWithKeys();
  await rotate(['--file', file]);
  const [, waiting] = keysIn(file);
  const text = readFileSync(file, 'utf8');
  const refused = await rotate(['--file', file]);
  expect(refused.code).toBe(1);
  expect(refused.stderr).toContain(new Date(Number(waiting?.signsFrom)).toISOString());
  expect(readFileSync(file, 'utf8')).toBe(text);
  expect((await rotate(['--file', file, '--force', '--lead', '3'])).code).toBe(0);
  const [, , last] = keysIn(file);
  expect(last?.signsFrom).toBeGreaterThanOrEqual(Number(waiting?.signsFrom));
});

it('takes the file of AUTH_SIGNING_KEYS_FILE, or else the one of npm start', async () => {
  const [given, stack] = [folderWithKeys(), folderWithKeys()];
  const environment = { AUTH_SIGNING_KEYS_FILE: given.file, GATEHOUSE_DIR: stack.dir };
  expect((await rotate([], environment)).code).toBe(0);
  expect([keysIn(given.file).length, keysIn(stack.file).length]).toEqual([2, 1]);
  expect((await rotate([], { GATEHOUSE_DIR: stack.dir })).code).toBe(0);
  expect(keysIn(stack.file)).toHaveLength(2);
  const nowhere = await rotate([]);
  expect(nowhere.code).toBe(1);
  expect(nowhere.stderr).toMatch(/^[^\n]*AUTH_SIGNING_KEYS_FILE[^\n]*\n$/);
});

it('prints three values for AUTH_SIGNING_KEYS: published, signing, alone', async () => {
  const old = newSigningKey();
  const { code, stdout } = await rotate([], { AUTH_SIGNING_KEYS: old });
  expect(code).toBe(0);
  const values = [...stdout.matchAll(/^AUTH_SIGNING_KEYS=(.*)$/gm)].map(([, value = '']) => value);
  const [oldKid] = parseKeyList(old).map(({ kid }) => kid);
  const [published, signing, alone] = values.map((list) =>
    parseKeyList(list).map(({ kid }) => kid),
  );
  expect(values).toHaveLength(3);
  const newKid = alone?.[0];
  expect(newKid).not.toBe(oldKid);
  expect([published, signing, alone]).toEqual([[oldKid, newKid], [newKid, oldKid], [newKid]]);
});

it('leaves a file alone that it does not understand, and says in one line why', async () => {
  const file = join(folder(), 'keys.json');
  for (const text of [
    '{',
    '{"keys":[]}',
    '{"keys":[{"key":"bm8=","signsFrom":"x","retiresAt":null}]}',
  ]) {
    writeFileSync(file, text);
    const { code, stderr } = await rotate(['--file', file]);
    expect([code, stderr]).toEqual([1, expect.stringMatching(/^[^\n]*keys\.json: [^\n]+\n$/)]);
    expect(readFileSync(file, 'utf8')).toBe(text);
  }
  expect((await rotate(['--file', `${file}.none`])).code).toBe(1);
});

it.each([
  [['--lead', 'soon']],
  [['--lead', '2']],
  [['--lead', '604801']],
  [['--unknown']],
  [['surplus']],
])('does not understand %j', async (args) => {
  const { dir, file } = folderWithKeys();
  const { code, stderr } = await rotate(args, { GATEHOUSE_DIR: dir });
  expect([code, stderr]).toEqual([2, expect.stringMatching(/^[^\n]+--help tells more\)\n$/)]);
  expect(keysIn(file)).toHaveLength(1);
});

it('says how it is used', async () => {
  const { code, stdout } = await rotate(['--help']);
  expect(code).toBe(0);
  for (const option of ['--lead', '--file', '--force', '--help']) expect(stdout).toContain(option);
});
