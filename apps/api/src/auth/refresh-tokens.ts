import { hkdfSync } from 'node:crypto';
import { seal, unseal } from '@gatehouse/domain/sealing';

const FORMAT = /^[A-Za-z0-9_-]{43}$/;

/** Whether a text can be a refresh token at all. */
export function isRefreshToken(text: string): boolean {
  return FORMAT.test(text);
}

/** Encrypts a successor so that only who has the token before it can read it, and a stolen table tells nothing. */
export function sealSuccessor(token: string, successor: string): Buffer<ArrayBuffer> {
  return seal(keyOf(token), successor);
}

/** @throws when it was sealed under another token */
export function openSuccessor(token: string, sealed: Uint8Array): string {
  return unseal([keyOf(token)], sealed);
}

function keyOf(token: string): Buffer {
  return Buffer.from(hkdfSync('sha256', token, '', 'gatehouse refresh successor', 32));
}
