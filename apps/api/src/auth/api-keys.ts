import { createHmac, hkdfSync, randomInt } from 'node:crypto';
import { crc32 } from 'node:zlib';

const PREFIX = 'gh_';
const RANDOM_LENGTH = 30;
const CHECKSUM_LENGTH = 6;
const BASE62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const FORMAT = /^gh_[0-9A-Za-z]{36}$/;

/** A new API key: `gh_`, 30 random base62 characters (178 bits), 6 of checksum. */
export function newApiKey(): string {
  const random = Array.from({ length: RANDOM_LENGTH }, () => BASE62[randomInt(BASE62.length)]).join(
    '',
  );
  return PREFIX + random + checksum(random);
}

/** Whether a text can be a key at all. A mistyped one is refused without asking the database. */
export function isApiKey(text: string): boolean {
  return (
    FORMAT.test(text) &&
    text.slice(-CHECKSUM_LENGTH) === checksum(text.slice(PREFIX.length, -CHECKSUM_LENGTH))
  );
}

/** CRC-32 in base62, padded: as in GitHub's token format. */
function checksum(random: string): string {
  let rest = crc32(random);
  let text = '';
  for (let digit = 0; digit < CHECKSUM_LENGTH; digit += 1) {
    text = (BASE62[rest % BASE62.length] ?? '') + text;
    rest = Math.floor(rest / BASE62.length);
  }
  return text;
}

/** A function that makes of a key what is stored of it. */
export type ApiKeyHasher = (key: string) => Buffer<ArrayBuffer>;

/**
 * HMAC-SHA-256 under a key derived from the secret, so that a stolen table can neither be used nor be searched.
 */
export function apiKeyHasher(secret: string): ApiKeyHasher {
  const hmacKey = Buffer.from(hkdfSync('sha256', secret, '', 'gatehouse api keys', 32));
  return (key) => Buffer.from(createHmac('sha256', hmacKey).update(key).digest());
}
