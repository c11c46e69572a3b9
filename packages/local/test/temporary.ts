import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { enterableBase } from '../src/postgres-home.ts';
import { serverAccount } from '../src/server-account.ts';

/** A directory for one test, which the user that Postgres runs as may enter. */
export function temporaryDir(): string {
  const dir = mkdtempSync(join(enterableBase(tmpdir(), serverAccount()), 'gatehouse-local-'));
  chmodSync(dir, 0o755);
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}
