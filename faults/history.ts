/** What the clients asked for, and what they were told: the one side of the evidence. */
export type History = Asked[];

/** One request, however often it was sent: always under the same key, with the same body. */
export interface Asked {
  accountId: string;
  key: string;
  wish: Wish;
  attempts: Attempt[];
}

export type Wish =
  | { kind: 'order'; order: OrderWish }
  | { kind: 'cancel'; orderId: string }
  | { kind: 'task'; task: TaskWish }
  | { kind: 'deposit'; deposit: DepositWish };

export interface OrderWish {
  symbol: string;
  side: 'buy' | 'sell';
  type: 'market' | 'limit';
  /** With six decimals, and no two orders have the same: it tells orders apart that have no `clientOrderId`. */
  quantity: string;
  limitPrice?: string;
  timeInForce: 'day' | 'gtc';
  clientOrderId?: string;
}

export interface TaskWish {
  /** No two tasks have the same. */
  title: string;
  dueAt: string;
}

export interface DepositWish {
  /** In minor units; no two deposits have the same. */
  amount: number;
  currency: 'usd';
}

export interface Attempt {
  /** The gateway that was asked. */
  url: string;
  sentAt: number;
  /** Or why there was none. */
  answer: Answer | string;
}

export interface Answer {
  status: number;
  /** Its bytes, which a replay repeats, as text. */
  body: string;
  contentType: string | null;
  location: string | null;
  retryAfter: string | null;
  /** Whether it says that it was given before. */
  isReplay: boolean;
}

/** Whether it says that the request should be sent again: it is no answer to the wish. */
export function isTryAgain({ status, body }: Answer): boolean {
  return (
    status >= 500 || status === 429 || (status === 409 && codeOf(body) === 'idempotency_key_in_use')
  );
}

/** The answers to the wish itself. All of them should be the same. */
export function finalAnswers({ attempts }: Asked): Answer[] {
  return attempts.flatMap(({ answer }) =>
    typeof answer === 'string' || isTryAgain(answer) ? [] : [answer],
  );
}

/** What the client was promised, if anything. */
export function accepted(asked: Asked): Answer | undefined {
  return finalAnswers(asked).find((answer) => isPromise(asked.wish, answer));
}

/** Whether it says that the wish will be granted. */
export function isPromise(wish: Wish, { status }: Answer): boolean {
  return status === (wish.kind === 'cancel' ? 202 : 201);
}

/** The `code` of a problem. */
export function codeOf(body: string): string | null {
  return textField(body, 'code');
}

/** The `id` of a resource. */
export function idOf(body: string): string | null {
  return textField(body, 'id');
}

/** The `paymentIntentId` of a deposit. */
export function paymentOf(body: string): string | null {
  return textField(body, 'paymentIntentId');
}

function textField(body: string, name: 'code' | 'id' | 'paymentIntentId'): string | null {
  try {
    const parsed: unknown = JSON.parse(body);
    if (typeof parsed !== 'object' || parsed === null || !(name in parsed)) return null;
    const value: unknown = Reflect.get(parsed, name);
    return typeof value === 'string' ? value : null;
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}
