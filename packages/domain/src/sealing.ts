import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';

const ALGORITHM = 'aes-256-gcm';
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/**
 * Encrypts a text with AES-256-GCM under a key of 32 bytes: nonce, ciphertext and tag. It opens only together with the
 * same `context`, which is not part of it: so it cannot be passed off as something else's.
 */
export function seal(key: Buffer, text: string, context = ''): Buffer<ArrayBuffer> {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv(ALGORITHM, key, nonce, { authTagLength: TAG_BYTES });
  cipher.setAAD(Buffer.from(context));
  return Buffer.concat([nonce, cipher.update(text), cipher.final(), cipher.getAuthTag()]);
}

/** @throws when it was sealed under none of the keys, in another context, or changed since */
export function unseal(keys: readonly Buffer[], sealed: Uint8Array, context = ''): string {
  for (const key of keys) {
    const text = tryUnseal(key, sealed, context);
    if (text !== null) return text;
  }
  throw new Error('what is sealed opens with none of the keys');
}

function tryUnseal(key: Buffer, sealed: Uint8Array, context: string): string | null {
  // With less there is no tag to set: not a key's fault either, but nothing that was ever sealed.
  if (sealed.length < NONCE_BYTES + TAG_BYTES) return null;
  const decipher = createDecipheriv(ALGORITHM, key, sealed.subarray(0, NONCE_BYTES), {
    authTagLength: TAG_BYTES,
  });
  decipher.setAAD(Buffer.from(context));
  decipher.setAuthTag(sealed.subarray(-TAG_BYTES));
  const text = decipher.update(sealed.subarray(NONCE_BYTES, -TAG_BYTES));
  try {
    return Buffer.concat([text, decipher.final()]).toString();
  } catch {
    // There is one reason for which the last step fails: another key, another context, or other bytes.
    return null;
  }
}
