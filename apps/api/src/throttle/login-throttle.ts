import { createHash } from 'node:crypto';
import { normalizeIP } from '@fastify/rate-limit';
import type { Budgets, Limit } from './budgets.ts';

const MINUTE_MS = 60_000;

/**
 * Of one address for one e-mail, or of one known device: who has forgotten his password tries those that he has elsewhere.
 */
const GUESSES: Limit = { max: 10, windowMs: 15 * MINUTE_MS };

/** Beyond that: who shares an address with a guesser waits a minute, and is not locked out. */
const ONE_MORE: Limit = { max: 1, windowMs: MINUTE_MS };

/**
 * Of all unknown devices together for one e-mail. More than one address can fail in an hour (a hundred), by both of the
 * above: whoever gets here has many addresses.
 */
const STRANGERS: Limit = { max: 120, windowMs: 60 * MINUTE_MS };

/** Of all unknown devices beyond that: 720 guesses an hour find no password that the sign-up takes. */
const TRICKLE: Limit = { max: 1, windowMs: 5_000 };

export interface LoginAttempt {
  /** In lower case. */
  email: string;
  /** Of the client. */
  address: string;
  /** The device of his that it comes from, if it is one (OWASP, "Slow Down Online Guessing Attacks with Device Cookies"). */
  deviceId: string | null;
}

export type Verdict =
  /** The password may be looked at. When it is right, call `succeeded`: only failures count. */
  { isAllowed: true; succeeded(): Promise<void> } | { isAllowed: false; retryAfterSeconds: number };

export interface LoginThrottle {
  /**
   * Counts an attempt before its password is looked at: of many at once no more get through than of many in turn. Asks
   * nothing that depends on whether there is such a user.
   */
  begin(attempt: LoginAttempt): Promise<Verdict>;
}

/**
 * Slows down who guesses the password of one e-mail, and locks nobody out: what is counted is counted by address, save
 * for the attempts of many addresses, and those never touch a device on which its owner has logged in.
 */
export function createLoginThrottle(budgets: Budgets): LoginThrottle {
  const allow = (...taken: string[]): Verdict => ({
    isAllowed: true,
    succeeded: async () => {
      await Promise.all(taken.map(budgets.giveBack));
    },
  });
  const refuse = (leftMs: number): Verdict => ({
    isAllowed: false,
    retryAfterSeconds: Math.ceil(leftMs / 1_000),
  });
  return {
    async begin({ email, address, deviceId }) {
      const who = createHash('sha256').update(email).digest('base64url');
      const own =
        deviceId === null
          ? `login:address:${who}:${normalizeIP(address)}`
          : `login:device:${who}:${deviceId}`;
      // First, so that what one address may not do never counts against others.
      const isAmongFirst = (await budgets.take(own, GUESSES)).isTaken;
      const guessed = isAmongFirst ? own : `${own}:one-more`;
      if (!isAmongFirst) {
        const oneMore = await budgets.take(guessed, ONE_MORE);
        if (!oneMore.isTaken) return refuse(oneMore.leftMs);
      }
      if (deviceId !== null) return allow(guessed);

      const strangers = `login:strangers:${who}`;
      if ((await budgets.take(strangers, STRANGERS)).isTaken) return allow(guessed, strangers);
      const trickle = await budgets.take(`login:trickle:${who}`, TRICKLE);
      if (trickle.isTaken) return allow(guessed);
      await budgets.giveBack(guessed);
      return refuse(trickle.leftMs);
    },
  };
}

/** For those who do without. */
export const noLoginThrottle: LoginThrottle = {
  begin: async () => ({ isAllowed: true, succeeded: async () => undefined }),
};
