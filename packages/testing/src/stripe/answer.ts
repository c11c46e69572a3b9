import { Refusal } from './refusal.ts';

/** Written down when it was made: what is replayed later does not show what has changed since. */
export interface Answer {
  readonly status: number;
  readonly text: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export function answer(status: number, body: object): Answer {
  return { status, text: JSON.stringify(body, null, 2) };
}

/** @throws what is no Refusal */
export function refusalAnswer(error: unknown): Answer {
  if (!(error instanceof Refusal)) throw error;
  return answer(error.status, { error: error.body });
}
