import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Stack } from '@gatehouse/local/stack-file';

/** The system that a command works on. */
export interface Target {
  databaseUrl: string;
  redisUrl: string;
}

/** DATABASE_URL and REDIS_URL, or those of the stack that `npm start` runs here. Ends the process when there are none. */
export async function findTarget(): Promise<Target> {
  const { DATABASE_URL, REDIS_URL } = process.env;
  return DATABASE_URL && REDIS_URL
    ? { databaseUrl: DATABASE_URL, redisUrl: REDIS_URL }
    : findStack('set DATABASE_URL and REDIS_URL');
}

/** `findTarget` for a command that only talks to PostgreSQL. */
export async function findDatabase(): Promise<string> {
  const { DATABASE_URL } = process.env;
  return DATABASE_URL || (await findStack('set DATABASE_URL')).databaseUrl;
}

/** Where the signing keys are that a command works on. */
export type KeysTarget = { file: string } | { list: string };

/**
 * AUTH_SIGNING_KEYS_FILE or AUTH_SIGNING_KEYS, also of `.env`, or the file of the stack that `npm start` runs here. Ends
 * the process when there is none.
 */
export function findSigningKeys(): KeysTarget {
  if (existsSync('.env')) process.loadEnvFile('.env');
  const { AUTH_SIGNING_KEYS_FILE, AUTH_SIGNING_KEYS, GATEHOUSE_DIR } = process.env;
  if (AUTH_SIGNING_KEYS_FILE) return { file: AUTH_SIGNING_KEYS_FILE };
  if (AUTH_SIGNING_KEYS) return { list: AUTH_SIGNING_KEYS };
  const file = join(GATEHOUSE_DIR || '.gatehouse', 'signing-keys.json');
  if (!existsSync(file)) {
    console.error(
      'there are no signing keys here: `npm start` first, or set AUTH_SIGNING_KEYS_FILE',
    );
    process.exit(1);
  }
  return { file };
}

/** The stack that `npm start` runs here. Ends the process when there is none, with what else can be done. */
export async function findStack(otherwise: string): Promise<Stack> {
  const { GATEHOUSE_DIR } = process.env;
  const file = join(GATEHOUSE_DIR || '.gatehouse', 'stack.json');
  if (!existsSync(file)) {
    console.error(`no stack is running here: \`npm start\` first, or ${otherwise}`);
    process.exit(1);
  }
  return JSON.parse(await readFile(file, 'utf8'));
}
