import { createHash, createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import Type, { type Static } from 'typebox';
import { Value } from 'typebox/value';

/** A key of access tokens, and when it is used. Times are milliseconds of the epoch. */
export interface SigningKey {
  /** Made of the public key: the same key has the same id everywhere. */
  kid: string;
  privateKey: KeyObject;
  publicKey: KeyObject;
  /** It signs from here on, until one that begins later does. `Infinity` for one that only verifies. */
  signsFrom: number;
  /** From here on it is as if it had never been. Null when that is not planned. */
  retiresAt: number | null;
}

const Time = Type.String({ format: 'date-time' });

/** What is in the file of AUTH_SIGNING_KEYS_FILE. */
export const KeyFile = Type.Object(
  {
    keys: Type.Array(
      Type.Object(
        {
          /** An Ed25519 private key: PKCS#8 DER in base64. */
          key: Type.String(),
          signsFrom: Time,
          retiresAt: Type.Union([Time, Type.Null()]),
        },
        { additionalProperties: false },
      ),
    ),
  },
  { additionalProperties: false },
);
export type KeyFile = Static<typeof KeyFile>;

/**
 * The keys of AUTH_SIGNING_KEYS, comma separated: the first signs, all verify.
 *
 * @throws when one of them is no Ed25519 private key, or is there twice
 */
export function parseKeyList(text: string): SigningKey[] {
  return assertDifferent(
    text.split(',').map((key, index) => ({
      ...readKey(key.trim()),
      signsFrom: index === 0 ? 0 : Number.POSITIVE_INFINITY,
      retiresAt: null,
    })),
  );
}

/** @throws when a text is not what a file of keys holds. No message repeats any of it. */
export function parseKeyFile(text: string): KeyFile {
  const value = parseJson(text);
  if (!Value.Check(KeyFile, value)) {
    const [error] = Value.Errors(KeyFile, value);
    throw new Error(`${error?.instancePath || 'it'} ${error?.message ?? 'is not understood'}`);
  }
  return value;
}

/**
 * The keys of a file that was parsed.
 *
 * @throws when one of them is no Ed25519 private key, or is there twice, or when at some moment from `now` on none
 *   of them signs
 */
export function keysOf({ keys }: KeyFile, now: number): SigningKey[] {
  const all = assertDifferent(
    keys.map(({ key, signsFrom, retiresAt }) => ({
      ...readKey(key),
      signsFrom: Date.parse(signsFrom),
      retiresAt: retiresAt === null ? null : Date.parse(retiresAt),
    })),
  );
  const moments = [now, ...all.flatMap(({ retiresAt }) => retiresAt ?? [])];
  const gap = moments.find((moment) => moment >= now && signerAt(all, moment) === undefined);
  if (gap !== undefined) throw new Error(`no key signs at ${new Date(gap).toISOString()}`);
  return all;
}

/** Those that verify and are published: also those that are to sign only later. */
export function verifiersAt(keys: readonly SigningKey[], now: number): SigningKey[] {
  return keys.filter(({ retiresAt }) => retiresAt === null || now < retiresAt);
}

/** The one that signs: of those whose time has come the one whose time came last. */
export function signerAt(keys: readonly SigningKey[], now: number): SigningKey | undefined {
  return verifiersAt(keys, now)
    .filter(({ signsFrom }) => signsFrom <= now)
    .reduce<SigningKey | undefined>(
      (last, key) => (last !== undefined && last.signsFrom > key.signsFrom ? last : key),
      undefined,
    );
}

function assertDifferent(keys: SigningKey[]): SigningKey[] {
  if (new Set(keys.map(({ kid }) => kid)).size < keys.length)
    throw new Error('a key is there twice');
  return keys;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    // The message of a SyntaxError quotes the text around it, and this text is secret.
    if (error instanceof SyntaxError) throw new Error('it is not JSON');
    throw error;
  }
}

function readKey(base64: string): Pick<SigningKey, 'kid' | 'privateKey' | 'publicKey'> {
  const privateKey = privateKeyOf(base64);
  if (privateKey?.asymmetricKeyType !== 'ed25519')
    throw new Error('a key is no Ed25519 private key (PKCS#8 DER in base64)');
  const publicKey = createPublicKey(privateKey);
  const kid = createHash('sha256')
    .update(publicKey.export({ format: 'der', type: 'spki' }))
    .digest('base64url')
    .slice(0, 16);
  return { kid, privateKey, publicKey };
}

function privateKeyOf(base64: string): KeyObject | null {
  try {
    return createPrivateKey({
      key: Buffer.from(base64, 'base64'),
      format: 'der',
      type: 'pkcs8',
    });
  } catch {
    // OpenSSL's many words for "no key" help nobody, and change with its version.
    return null;
  }
}
