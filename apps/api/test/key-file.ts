import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { newSigningKey } from '@gatehouse/domain/signing-key';
import { onTestFinished } from 'vitest';
import type { KeyFile } from '../src/auth/signing-keys.ts';

const ROTATE = join(import.meta.dirname, '../../../scripts/keys.ts');

/** A file of signing keys for one test. */
export interface TestKeyFile {
  path: string;
  /** The settings of a gateway that reads it. */
  settings: Record<string, string>;
  read(): KeyFile;
  /** Replaces it; text as it is. */
  write(content: KeyFile | string): void;
  /** `npm run keys:rotate` on it. Returns what it printed. */
  rotate(...options: string[]): Promise<string>;
}

/** With one key, which signs, unless another content is given. */
export function testKeyFile(content: KeyFile | string = { keys: [entry()] }): TestKeyFile {
  const dir = mkdtempSync(join(tmpdir(), 'gatehouse-keys-'));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  const path = join(dir, 'keys.json');
  const write: TestKeyFile['write'] = (next) => {
    const text = typeof next === 'string' ? next : JSON.stringify(next);
    writeFileSync(`${path}.draft`, text);
    renameSync(`${path}.draft`, path);
  };
  write(content);
  return {
    path,
    settings: { AUTH_SIGNING_KEYS: '', AUTH_SIGNING_KEYS_FILE: path },
    read: () => JSON.parse(readFileSync(path, 'utf8')),
    write,
    async rotate(...options) {
      const args = [ROTATE, '--file', path, ...options];
      return (await promisify(execFile)(process.execPath, args)).stdout;
    },
  };
}

/** A new key of a file, with seconds from now; it signs since a minute ago unless told otherwise. */
export function entry({ signs = -60, retires }: { signs?: number; retires?: number } = {}) {
  const at = (seconds: number) => new Date(Date.now() + seconds * 1_000).toISOString();
  return {
    key: newSigningKey(),
    signsFrom: at(signs),
    retiresAt: retires === undefined ? null : at(retires),
  };
}
