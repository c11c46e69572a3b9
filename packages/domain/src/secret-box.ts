import { hkdfSync } from 'node:crypto';
import { seal, unseal } from './sealing.ts';

const KEY_BYTES = 32;
const ID_BYTES = 4;

/** Encrypts secrets that must be read again, to lie in a table. */
export interface SecretBox {
  /** Under the first key, for this owner (the id of what it belongs to): with another's id it does not open. */
  seal(text: string, owner: string): Buffer<ArrayBuffer>;
  /** @throws when it was sealed under none of the keys, for another owner, or changed since */
  open(sealed: Uint8Array, owner: string): string;
  /** What everything begins with that was sealed under the first key. */
  readonly prefix: Uint8Array<ArrayBuffer>;
}

/**
 * A box with keys derived from these secrets. What it seals begins with four bytes that name the key, so that it can be
 * told, also in SQL, what is still under an old one.
 */
export function createSecretBox(secrets: readonly [string, ...string[]]): SecretBox {
  const [first, ...others] = secrets;
  const current = derive(first);
  const all = [current, ...others.map(derive)];
  return {
    seal: (text, owner) => Buffer.concat([current.id, seal(current.key, text, owner)]),
    open: (sealed, owner) =>
      unseal(
        all.filter(({ id }) => id.equals(sealed.subarray(0, ID_BYTES))).map(({ key }) => key),
        sealed.subarray(ID_BYTES),
        owner,
      ),
    prefix: Uint8Array.from(current.id),
  };
}

function derive(secret: string): { id: Buffer; key: Buffer } {
  const bytes = Buffer.from(
    hkdfSync('sha256', secret, '', 'gatehouse webhook secrets', ID_BYTES + KEY_BYTES),
  );
  return { id: bytes.subarray(0, ID_BYTES), key: bytes.subarray(ID_BYTES) };
}
