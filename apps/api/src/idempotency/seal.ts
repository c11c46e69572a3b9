import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';
import type { Answer } from './answer.ts';

const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** For answers that may be read by whoever may read the table. */
export const PLAIN: Seal = { seal: (answer) => answer, open: (answer) => answer };

/** Encrypts answers that hold a secret, which is shown once and must not lie readable in a table for a day. */
export interface Seal {
  seal(answer: Answer): Answer;
  /** The answer as it was before it was sealed. */
  open(answer: Answer): Answer;
}

/** AES-256-GCM under a key derived from the secret. */
export function createSeal(secret: string): Seal {
  const key = Buffer.from(hkdfSync('sha256', secret, '', 'gatehouse sealed answers', 32));
  return {
    seal(answer) {
      const nonce = randomBytes(NONCE_BYTES);
      const cipher = createCipheriv('aes-256-gcm', key, nonce);
      const sealed = Buffer.concat([
        nonce,
        cipher.update(answer.body),
        cipher.final(),
        cipher.getAuthTag(),
      ]);
      return { ...answer, body: sealed.toString('base64') };
    },
    open(answer) {
      const sealed = Buffer.from(answer.body, 'base64');
      const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(0, NONCE_BYTES));
      decipher.setAuthTag(sealed.subarray(-TAG_BYTES));
      const body = Buffer.concat([
        decipher.update(sealed.subarray(NONCE_BYTES, -TAG_BYTES)),
        decipher.final(),
      ]);
      return { ...answer, body: body.toString() };
    },
  };
}
