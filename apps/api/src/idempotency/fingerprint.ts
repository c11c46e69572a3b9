import { createHash } from 'node:crypto';

/**
 * SHA-256 of what a request asks for: method, path and validated body. Members are sorted and the body was brought
 * to canonical values by its validation, so the spelling of a request does not matter.
 */
export function fingerprint(method: string, path: string, body: unknown): Buffer<ArrayBuffer> {
  const text = JSON.stringify([method, path, body], (_, value: unknown) =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
      : value,
  );
  return Buffer.from(createHash('sha256').update(text).digest());
}
