import { newSigningKey } from '@gatehouse/domain/signing-key';
import type { KeyFile } from './signing-keys.ts';
import { ACCESS_TOKEN_SECONDS } from './tokens.ts';

/** For so long may whoever verifies tokens of ours go on without asking for the keys again. */
export const JWKS_CACHED_SECONDS = 60;

/** What the clocks of the gateways, and of those who verify, may be apart. */
const MARGIN_SECONDS = 60;

/** Seconds from a key's last signature to its retirement: no token is left by then. */
export const RETIREMENT_SECONDS = ACCESS_TOKEN_SECONDS + MARGIN_SECONDS;

/** When the key begins to sign that was published and does not yet; null when there is none. */
export function waitingUntil({ keys }: KeyFile, now: number): Date | null {
  const times = keys.map(({ signsFrom }) => Date.parse(signsFrom)).filter((time) => time > now);
  return times.length === 0 ? null : new Date(Math.max(...times));
}

export interface Rotation {
  file: KeyFile;
  signsFrom: Date;
  /** When the last of the other keys retires. */
  retiresAt: Date;
}

/**
 * A file of keys with a new one: it is published at once, signs after `leadSeconds`, or once every other key has had
 * its time, and the others retire when nothing that they signed is good any more. What is retired already is left
 * out.
 */
export function rotate({ keys }: KeyFile, now: number, leadSeconds: number): Rotation {
  const kept = keys.filter(({ retiresAt }) => retiresAt === null || Date.parse(retiresAt) > now);
  const begun = kept.map(({ signsFrom }) => Date.parse(signsFrom));
  const signsFrom = new Date(Math.max(now + leadSeconds * 1_000, ...begun));
  const retiresAt = new Date(signsFrom.getTime() + RETIREMENT_SECONDS * 1_000);
  const retiring = kept.map((key) => ({
    ...key,
    // One that an earlier rotation retires has not signed since.
    retiresAt: key.retiresAt ?? retiresAt.toISOString(),
  }));
  const added = { key: newSigningKey(), signsFrom: signsFrom.toISOString(), retiresAt: null };
  return { file: { keys: [...retiring, added] }, signsFrom, retiresAt };
}

/** What AUTH_SIGNING_KEYS is to be at each of three rolling restarts of the gateways. */
export function rotationByRestarts(list: string): [string, string, string] {
  const added = newSigningKey();
  return [`${list},${added}`, `${added},${list}`, added];
}
