import { readFileSync } from 'node:fs';
import { writePrivateFile } from '@gatehouse/local/private-file';
import {
  JWKS_CACHED_SECONDS,
  RETIREMENT_SECONDS,
  rotate,
  rotationByRestarts,
  waitingUntil,
} from '../apps/api/src/auth/key-rotation.ts';
import { keysOf, parseKeyFile, parseKeyList } from '../apps/api/src/auth/signing-keys.ts';
import { findSigningKeys } from './target.ts';
import { messageOf, readArguments, runCommand, UsageError } from './usage.ts';

const USAGE = `npm run keys:rotate -- [options]: gives access tokens a new signing key, and no request fails

  The new key is published at once, signs after the lead, and the others retire when nothing that they signed is good
  any more. The gateways read the file by themselves.

  --lead seconds    between publishing the key and its first signature; ${JWKS_CACHED_SECONDS} unless given. With less, those who
                    keep our public keys for a minute may meet a token whose key they do not know yet
  --file path       the file of keys; AUTH_SIGNING_KEYS_FILE unless given, or the one of \`npm start\`
  --force           begins another rotation though the key of the last one does not sign yet
  --help            this text

With AUTH_SIGNING_KEYS in place of a file it changes nothing, and prints the value for each of three rolling restarts.
Exits with 1 when it could not be done, with 2 when it was not understood.`;

/** A gateway looks at the file every second: with less than this a key might sign before all know it. */
const SHORTEST_LEAD_SECONDS = 3;
const LONGEST_LEAD_SECONDS = 604_800;

function run(args: string[]): void {
  const { values } = readArguments({
    args,
    options: {
      lead: { type: 'string', default: `${JWKS_CACHED_SECONDS}` },
      file: { type: 'string' },
      force: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  const { lead, file, force, help } = values;
  if (help) {
    console.log(USAGE);
    return;
  }
  const leadSeconds = Number(lead);
  if (
    !/^\d{1,6}$/.test(lead) ||
    leadSeconds < SHORTEST_LEAD_SECONDS ||
    leadSeconds > LONGEST_LEAD_SECONDS
  ) {
    throw new UsageError(
      `--lead takes seconds, from ${SHORTEST_LEAD_SECONDS} to ${LONGEST_LEAD_SECONDS}`,
    );
  }
  const target = file === undefined ? findSigningKeys() : { file };
  if ('list' in target) printRestarts(target.list);
  else rotateFile(target.file, leadSeconds, force);
}

function rotateFile(path: string, leadSeconds: number, force: boolean): void {
  const now = Date.now();
  const before = naming(path, () => parseKeyFile(readFileSync(path, 'utf8')));
  const waiting = waitingUntil(before, now);
  if (waiting !== null && !force) {
    throw new Error(
      `a new key waits to sign: come back after ${waiting.toISOString()}, or use --force`,
    );
  }
  const { file, signsFrom, retiresAt } = rotate(before, now, leadSeconds);
  const kids = naming(path, () => keysOf(file, now)).map(({ kid }) => kid);
  writePrivateFile(path, `${JSON.stringify(file, null, 2)}\n`);
  console.log(`${path} has a new key, ${kids.at(-1)}`);
  console.log(`  within a second   it is published at /.well-known/jwks.json, and verifies`);
  console.log(`  ${signsFrom.toISOString()}   it signs`);
  for (const [index, { retiresAt: end }] of file.keys.slice(0, -1).entries()) {
    console.log(`  ${end ?? retiresAt.toISOString()}   ${kids[index]} retires`);
  }
}

function printRestarts(list: string): void {
  naming('AUTH_SIGNING_KEYS', () => parseKeyList(list));
  const [published, signing, alone] = rotationByRestarts(list);
  console.log('Nothing is changed. Restart the gateways one after the other, three times.');
  console.log('\n1. The new key is published:');
  console.log(`AUTH_SIGNING_KEYS=${published}`);
  console.log(
    `\n2. It signs. ${JWKS_CACHED_SECONDS} s after the last gateway of the first step is up, or later:`,
  );
  console.log(`AUTH_SIGNING_KEYS=${signing}`);
  console.log(
    `\n3. The others retire. ${RETIREMENT_SECONDS} s after the last of the second, or later:`,
  );
  console.log(`AUTH_SIGNING_KEYS=${alone}`);
}

/** Runs `read`, and says of what it could not be when it throws. */
function naming<T>(what: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw new Error(`${what}: ${messageOf(error)}`);
  }
}

await runCommand(() => run(process.argv.slice(2)));
