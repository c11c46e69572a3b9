import { createHash, randomBytes } from 'node:crypto';

/** What somebody shows once, or until it is exchanged: 256 random bits, in base64url. */
export function newSecretToken(): string {
  return randomBytes(32).toString('base64url');
}

/** What is stored of a token: SHA-256. It is random, so that no salt and no key makes it harder to guess. */
export function hashSecretToken(token: string): Buffer<ArrayBuffer> {
  return Buffer.from(createHash('sha256').update(token).digest());
}
