import { argon2, randomBytes, timingSafeEqual } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { promisify } from 'node:util';
import { Unavailable } from '../errors.ts';
import { createTurns, type TurnsOptions } from './turns.ts';

/** OWASP Password Storage Cheat Sheet, argon2id: 19 MiB, two passes, one lane. */
const PARAMETERS = { memory: 19_456, passes: 2, parallelism: 1, tagLength: 32 };

const PHC =
  /^\$argon2id\$v=19\$m=(\d{1,7}),t=(\d{1,3}),p=(\d{1,3})\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]+)$/;

const derive = promisify(argon2);

/** What waits longer than about two seconds has a client that gives up, and would keep others waiting. */
const WAITING_AT_MOST = 100;

/**
 * One place for the whole process: hashes run on libuv's pool of four threads, which file and DNS work needs as well,
 * and each keeps a core busy. A storm of logins waits here, and a core and two threads go on with everything else.
 */
let turns = createTurns(turnsOf(0));

function turnsOf(concurrency: number): TurnsOptions {
  const byCores = Math.max(1, Math.min(2, availableParallelism() - 1));
  return {
    atOnce: concurrency === 0 ? byCores : concurrency,
    waiting: WAITING_AT_MOST,
    refuse: () => new Unavailable(),
  };
}

/** How many passwords this process hashes at once; 0: by its cores. For the start, before anything is hashed. */
export function limitHashing(concurrency: number): void {
  turns = createTurns(turnsOf(concurrency));
}

/**
 * The argon2id hash of a password as a PHC string, with a salt of its own.
 *
 * @throws {Unavailable} when too many wait for one already
 */
export async function hashPassword(password: string): Promise<string> {
  const nonce = randomBytes(16);
  const message = canonical(password);
  const tag = await turns.take(() => derive('argon2id', { ...PARAMETERS, message, nonce }));
  const { memory, passes, parallelism } = PARAMETERS;
  return `$argon2id$v=19$m=${memory},t=${passes},p=${parallelism}$${base64(nonce)}$${base64(tag)}`;
}

/**
 * Whether the password is the one that was hashed. For a user who does not exist, give `null`: it costs the same
 * and is false, so that the time of an answer tells nobody which addresses are known.
 *
 * @throws {Unavailable} when too many wait for one already, for a known user and for an unknown one
 */
export async function verifyPassword(password: string, hash: string | null): Promise<boolean> {
  const [, memory, passes, parallelism, salt = '', tag = ''] =
    PHC.exec(hash ?? (await dummyHash())) ?? [];
  if (tag === '') throw new Error('a stored password hash is not a PHC string of argon2id');
  const expected = Buffer.from(tag, 'base64');
  const actual = await turns.take(() =>
    derive('argon2id', {
      memory: Number(memory),
      passes: Number(passes),
      parallelism: Number(parallelism),
      tagLength: expected.length,
      message: canonical(password),
      nonce: Buffer.from(salt, 'base64'),
    }),
  );
  return timingSafeEqual(actual, expected) && hash !== null;
}

/** Whether a hash was made with other parameters than are used now, so that it is worth another. */
export function needsRehash(hash: string): boolean {
  const [, memory, passes, parallelism, , tag = ''] = PHC.exec(hash) ?? [];
  return (
    Number(memory) !== PARAMETERS.memory ||
    Number(passes) !== PARAMETERS.passes ||
    Number(parallelism) !== PARAMETERS.parallelism ||
    Buffer.from(tag, 'base64').length !== PARAMETERS.tagLength
  );
}

let dummy: Promise<string> | undefined;

/** The hash that stands in for those of unknown users. Made at the start, so that the first of them is no slower. */
export function dummyHash(): Promise<string> {
  dummy ??= hashPassword(randomBytes(16).toString('hex'));
  return dummy;
}

/** The same characters may come as other code points from another keyboard (NIST SP 800-63B, 3.1.1.2). */
function canonical(password: string): string {
  return password.normalize('NFKC');
}

/** The PHC string format's base64 has no padding. */
function base64(bytes: Buffer): string {
  return bytes.toString('base64').replace(/=+$/, '');
}
