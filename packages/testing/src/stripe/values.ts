import { randomBytes } from 'node:crypto';

/** `pi_` and the like with 24 characters, as Stripe makes them: opaque. */
export function newId(prefix: string): string {
  return `${prefix}_${randomBytes(12).toString('hex')}`;
}

/** Unix time in whole seconds, as Stripe gives times. */
export function nowInSeconds(): number {
  return Math.floor(Date.now() / 1000);
}
