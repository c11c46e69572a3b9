import type { Answer } from './answer.ts';
import type { Journal } from './journal.ts';
import { Refusal } from './refusal.ts';

interface Kept {
  readonly endpoint: string;
  readonly body: string;
  readonly requestId: string;
  /** `null` while the first request is under way. */
  answer: Answer | null;
}

interface KeyedRequest {
  readonly key: string;
  /** Method and path. */
  readonly endpoint: string;
  readonly body: string;
  readonly requestId: string;
}

/**
 * Does the work of a key once. Whoever comes with the same key and body gets the same answer; with another, or while
 * the first is under way, a Refusal. An answer that is no 2xx is not kept: the next one may try again.
 */
export type Idempotency = (request: KeyedRequest, work: () => Promise<Answer>) => Promise<Answer>;

export function createIdempotency(journal: Journal): Idempotency {
  const keys = journal.read<Kept>('idempotency_key');
  return async ({ key, ...request }, work) => {
    const known = keys.get(key);
    if (known) return replay(key, known, request);
    const kept: Kept = { ...request, answer: null };
    keys.set(key, kept);
    try {
      kept.answer = await work();
      if (kept.answer.status < 300) journal.keep('idempotency_key', key, kept);
      return kept.answer;
    } finally {
      if (kept.answer === null || kept.answer.status >= 300) keys.delete(key);
    }
  };
}

function replay(key: string, known: Kept, { endpoint, body }: Omit<KeyedRequest, 'key'>): Answer {
  if (known.endpoint !== endpoint || known.body !== body) {
    const same = known.endpoint === endpoint ? 'with the same parameters' : 'for the same endpoint';
    throw new Refusal(400, {
      type: 'idempotency_error',
      message: `Keys for idempotent requests can only be used ${same} they were first used with. Try using a key other than '${key}' if you meant to execute a different request.`,
    });
  }
  if (known.answer === null) {
    throw new Refusal(409, {
      type: 'idempotency_error',
      code: 'idempotency_key_in_use',
      message: `There is currently another in-progress request using this Idempotent Key (${key}).`,
    });
  }
  const replayed = { 'idempotent-replayed': 'true', 'original-request': known.requestId };
  return { ...known.answer, headers: replayed };
}
