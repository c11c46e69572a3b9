import { createSecretKey, type KeyObject } from 'node:crypto';

export const SECRET_PREFIX = 'whsec_';

const FEWEST_BYTES = 24;
const MOST_BYTES = 64;

/**
 * The key that a secret stands for. To make it costs half a signature: whoever signs much keeps it, for as long as he does.
 *
 * @throws when it is not `whsec_` and 24 to 64 bytes in base64
 */
export function keyOf(secret: string): KeyObject {
  const text = secret.startsWith(SECRET_PREFIX) ? secret.slice(SECRET_PREFIX.length) : '';
  const key = Buffer.from(text, 'base64');
  // Node skips what is no base64: a secret with a typing error would sign, and verify nowhere.
  const isWhole = key.toString('base64').replace(/=+$/, '') === text.replace(/=+$/, '');
  if (!isWhole || key.length < FEWEST_BYTES || key.length > MOST_BYTES) {
    throw new Error(
      `a webhook secret is ${SECRET_PREFIX} and ${FEWEST_BYTES} to ${MOST_BYTES} bytes in base64`,
    );
  }
  // With its bytes, each signature would make one of these: five times the work.
  return createSecretKey(key);
}
