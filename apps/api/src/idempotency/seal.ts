import { hkdfSync } from 'node:crypto';
import { seal, unseal } from '@gatehouse/domain/sealing';
import type { Answer } from './answer.ts';

/** For answers that may be read by whoever may read the table. */
export const PLAIN: Seal = { seal: (answer) => answer, open: (answer) => answer };

/** Encrypts answers that hold a secret, which is shown once and must not lie readable in a table for a day. */
export interface Seal {
  seal(answer: Answer): Answer;
  /** The answer as it was before it was sealed. */
  open(answer: Answer): Answer;
}

/** Seals under a key derived from the first secret, and opens what was sealed under any of them. */
export function createSeal(secrets: readonly [string, ...string[]]): Seal {
  const keyOf = (secret: string) =>
    Buffer.from(hkdfSync('sha256', secret, '', 'gatehouse sealed answers', 32));
  const [first, ...others] = secrets;
  const key = keyOf(first);
  const keys = [key, ...others.map(keyOf)];
  return {
    seal: (answer) => ({ ...answer, body: seal(key, answer.body).toString('base64') }),
    open: (answer) => ({ ...answer, body: unseal(keys, Buffer.from(answer.body, 'base64')) }),
  };
}
