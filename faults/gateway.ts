import type { Answer, Asked, Wish } from './history.ts';

/** Longer than an answer takes in peace, shorter than the freezes. */
const ATTEMPT_MS = 4_000;

export interface Account {
  id: string;
  /** An access token or an API key. */
  credential: string;
}

/** Sends a request to a gateway, once. Gives its answer, or why there was none: nobody knows then what happened. */
export async function call(
  url: string,
  account: Account,
  { key, wish }: Asked,
): Promise<Answer | string> {
  try {
    const response = await fetch(`${url}${pathOf(wish)}`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${account.credential}`,
        'idempotency-key': key,
        ...(wish.kind !== 'cancel' && { 'content-type': 'application/json' }),
      },
      ...bodyOf(wish),
      signal: AbortSignal.timeout(ATTEMPT_MS),
    });
    return {
      status: response.status,
      body: await response.text(),
      contentType: response.headers.get('content-type'),
      location: response.headers.get('location'),
      retryAfter: response.headers.get('retry-after'),
      isReplay: response.headers.get('idempotent-replayed') === 'true',
    };
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** The status of an order; null when there is no answer. */
export async function orderStatus(
  url: string,
  account: Account,
  orderId: string,
): Promise<string | null> {
  const response = await fetch(`${url}/v1/orders/${orderId}`, {
    headers: { authorization: `Bearer ${account.credential}` },
    signal: AbortSignal.timeout(ATTEMPT_MS),
  });
  if (!response.ok) return null;
  const { status } = (await response.json()) as { status: string };
  return status;
}

/** A new account with a paper grant. With `withKey` it shows an API key, which is looked up, instead of a token. */
export async function openAccount(
  url: string,
  name: string,
  { withKey }: { withKey: boolean },
): Promise<Account> {
  const session = await create<{ accessToken: string; user: { accountId: string } }>(
    `${url}/v1/auth/register`,
    { email: `${name}@example.com`, password: 'correct horse battery', name },
  );
  const { accountId: id } = session.user;
  if (!withKey) return { id, credential: session.accessToken };
  const { key } = await create<{ key: string }>(
    `${url}/v1/api-keys`,
    { name: 'faults' },
    session.accessToken,
  );
  return { id, credential: key };
}

/** A webhook endpoint of the account. Returns the secret that its requests are signed with. */
export async function addEndpoint(
  url: string,
  { credential }: Account,
  endpoint: { url: string; eventTypes: readonly string[]; ordered: boolean },
): Promise<string> {
  const { secret } = await create<{ secret: string }>(
    `${url}/v1/webhook-endpoints`,
    endpoint,
    credential,
  );
  return secret;
}

async function create<T>(url: string, body: object, token?: string): Promise<T> {
  const response = await fetch(url, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
    },
    body: JSON.stringify(body),
  });
  if (response.status !== 201) throw new Error(`${url}: ${response.status}`);
  return (await response.json()) as T;
}

function pathOf(wish: Wish): string {
  switch (wish.kind) {
    case 'order':
      return '/v1/orders';
    case 'cancel':
      return `/v1/orders/${wish.orderId}/cancel`;
    case 'task':
      return '/v1/tasks';
    case 'deposit':
      return '/v1/deposits';
  }
}

function bodyOf(wish: Wish): { body?: string } {
  switch (wish.kind) {
    case 'order':
      return { body: JSON.stringify(wish.order) };
    case 'cancel':
      return {};
    case 'task':
      return { body: JSON.stringify(wish.task) };
    case 'deposit':
      return { body: JSON.stringify(wish.deposit) };
  }
}
