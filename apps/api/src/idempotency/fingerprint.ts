import { createHash, createHmac, hkdfSync } from 'node:crypto';

/**
 * SHA-256 of what a request asks for: method, path and validated body. Members are sorted and the body was brought
 * to canonical values by its validation, so the spelling of a request does not matter.
 *
 * With a key it is an HMAC: for bodies that may hold a secret, which nobody shall find by trying who has the table.
 */
export function fingerprint(
  method: string,
  path: string,
  body: unknown,
  key?: Buffer,
): Buffer<ArrayBuffer> {
  const text = JSON.stringify([method, path, body], (_, value: unknown) =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
      : value,
  );
  const hash = key === undefined ? createHash('sha256') : createHmac('sha256', key);
  return Buffer.from(hash.update(text).digest());
}

/** The key of fingerprints that a secret gives. */
export function fingerprintKey(secret: string): Buffer {
  return Buffer.from(hkdfSync('sha256', secret, '', 'gatehouse fingerprints', 32));
}
