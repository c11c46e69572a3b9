import { createCipheriv, createDecipheriv, createHash, hkdfSync, randomBytes } from 'node:crypto';

const FORMAT = /^[A-Za-z0-9_-]{43}$/;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** 256 random bits, in base64url. */
export function newRefreshToken(): string {
  return randomBytes(32).toString('base64url');
}

export function isRefreshToken(text: string): boolean {
  return FORMAT.test(text);
}

/** What is stored of a token. It is random: no salt and no key makes it harder to guess. */
export function hashToken(token: string): Buffer<ArrayBuffer> {
  return Buffer.from(createHash('sha256').update(token).digest());
}

/** Encrypts a successor so that only who has the token before it can read it, and a stolen table tells nothing. */
export function sealSuccessor(token: string, successor: string): Buffer<ArrayBuffer> {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv('aes-256-gcm', keyOf(token), nonce);
  return Buffer.concat([nonce, cipher.update(successor), cipher.final(), cipher.getAuthTag()]);
}

/** @throws when it was sealed under another token */
export function openSuccessor(token: string, sealed: Uint8Array): string {
  const decipher = createDecipheriv('aes-256-gcm', keyOf(token), sealed.subarray(0, NONCE_BYTES));
  decipher.setAuthTag(sealed.subarray(-TAG_BYTES));
  const opened = [decipher.update(sealed.subarray(NONCE_BYTES, -TAG_BYTES)), decipher.final()];
  return Buffer.concat(opened).toString();
}

function keyOf(token: string): Buffer {
  return Buffer.from(hkdfSync('sha256', token, '', 'gatehouse refresh successor', 32));
}
