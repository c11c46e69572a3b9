import { setTimeout as delay } from 'node:timers/promises';
import { cycle } from './cycle.ts';
import { type Account, call } from './gateway.ts';
import { type Answer, type Asked, type History, isTryAgain, type Wish } from './history.ts';
import type { Random } from './random.ts';

const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 2_000;

/** A client as it should be: one key per wish, and the same request again until there is an answer. */
export interface Client {
  readonly account: Account;
  /** Resolves with the answer; with undefined when `giveUp` fired first, and it never learned. */
  ask(key: string, wish: Wish): Promise<Answer | undefined>;
  /** Sends a request once more that was answered before. */
  repeat(asked: Asked): Promise<void>;
}

export interface ClientParts {
  account: Account;
  urls: readonly string[];
  random: Random;
  /** Takes down every attempt. */
  history: History;
  giveUp: AbortSignal;
}

export function createClient({ account, urls, random, history, giveUp }: ClientParts): Client {
  /** Tries until it is answered: with backoff, as long as it is told to wait, at another gateway each time. */
  const insist = async (asked: Asked): Promise<Answer | undefined> => {
    const first = random.integer(0, urls.length - 1);
    for (let tries = 0; !giveUp.aborted; tries++) {
      const url = cycle(urls, first + tries);
      const sentAt = Date.now();
      const attempt = { url, sentAt, answer: 'it was never heard of again' as Answer | string };
      // Before it is sent: what is under way may have its effect.
      asked.attempts.push(attempt);
      attempt.answer = await call(url, account, asked);
      if (typeof attempt.answer !== 'string' && !isTryAgain(attempt.answer)) return attempt.answer;
      await pause(Math.max(backoff(tries, random), toldToWait(attempt.answer)), giveUp);
    }
    return undefined;
  };
  return {
    account,
    async ask(key, wish) {
      const asked: Asked = { accountId: account.id, key, wish, attempts: [] };
      history.push(asked);
      // Now and then twice at once, as when a proxy repeats what seems to take too long.
      const twins = random.chance(0.1) ? [insist(asked), insist(asked)] : [insist(asked)];
      const [answer] = await Promise.all(twins);
      return answer;
    },
    async repeat(asked) {
      await insist(asked);
    },
  };
}

/** With full jitter. */
function backoff(tries: number, random: Random): number {
  return random.next() * Math.min(FIRST_PAUSE_MS * 2 ** tries, LONGEST_PAUSE_MS);
}

function toldToWait(answer: Answer | string): number {
  return typeof answer === 'string' ? 0 : Number(answer.retryAfter ?? 0) * 1_000;
}

/** Waits, or not so long when the signal fires. */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  try {
    await delay(ms, undefined, { signal });
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}
