import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import type { Stack } from '@gatehouse/local/stack-file';
import { type Finding, finding } from './rules/rule.ts';

const SCRIPT = join(import.meta.dirname, '../scripts/check-invariants.ts');

/** What `npm run check:invariants` finds broken: the books, and jobs that are in nobody's hands. */
export async function brokenInvariants({ databaseUrl, redisUrl }: Stack): Promise<Finding[]> {
  const check = spawn(process.execPath, [SCRIPT], {
    env: { ...process.env, DATABASE_URL: databaseUrl, REDIS_URL: redisUrl },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [said, complaints, [code]] = await Promise.all([
    text(check.stdout),
    text(check.stderr),
    once(check, 'exit'),
  ]);
  return code === 0 ? [] : [finding('invariant', `${said}${complaints}`.trim())];
}
