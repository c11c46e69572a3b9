import type { Stack } from '@gatehouse/local/stack-file';

export interface Registration {
  id: string;
  secret: string;
  /** Whose endpoint it is. */
  owner: string;
  /** @throws when it could not be deleted */
  remove(): Promise<void>;
}

interface Listed {
  id: string;
  url: string;
  description: string | null;
}

/** By which its own endpoints are known. */
const DESCRIPTION = 'npm run receiver';

const API_MS = 10_000;
const LISTENING_MS = 1_000;

/**
 * Makes the URL an endpoint of the stack's demo user. Endpoints that a run left which was killed are deleted.
 *
 * @throws with one line that says why it is none
 */
export async function register(
  { apiUrl, demo: { user } }: Pick<Stack, 'apiUrl' | 'demo'>,
  endpoint: { url: string; eventTypes: string[]; ordered: boolean },
): Promise<Registration> {
  if (!user) throw new Error('this stack has no demo user: give --secret whsec_…');
  const path = '/v1/webhook-endpoints';
  const headers = { authorization: `Bearer ${user.apiKey}` };
  await removeLeft();
  const created = await call(path, {
    method: 'POST',
    headers: { ...headers, 'content-type': 'application/json' },
    body: JSON.stringify({ ...endpoint, description: DESCRIPTION }),
  });
  const { id, secret } = (await created.json()) as { id: string; secret: string };
  return {
    id,
    secret,
    owner: user.email,
    remove: async () => {
      await call(`${path}/${id}`, { method: 'DELETE', headers }).catch((error) => {
        throw new Error(`endpoint ${id} is left behind: ${error.message}`);
      });
    },
  };

  /** Those of others that run are left: a second one may listen to something else. */
  async function removeLeft(): Promise<void> {
    const listed = await call(`${path}?limit=100`, { headers });
    const { data } = (await listed.json()) as { data: Listed[] };
    for (const { id, url, description } of data) {
      const isOurs = description === DESCRIPTION && new URL(url).hostname === '127.0.0.1';
      if (!isOurs || (url !== endpoint.url && (await isListening(url)))) continue;
      await call(`${path}/${id}`, { method: 'DELETE', headers });
    }
  }

  async function call(path: string, init: RequestInit): Promise<Response> {
    const response = await fetch(apiUrl + path, {
      ...init,
      signal: AbortSignal.timeout(API_MS),
    }).catch(() => {
      throw new Error(`the API at ${apiUrl} does not answer`);
    });
    if (response.ok) return response;
    const problem = (await response.json().catch(() => ({}))) as { detail?: string };
    throw new Error(`the API says ${response.status}: ${problem.detail ?? response.statusText}`);
  }
}

/** Whether a receiver is there: it answers any GET at once. */
function isListening(url: string): Promise<boolean> {
  return fetch(url, { signal: AbortSignal.timeout(LISTENING_MS) }).then(
    () => true,
    () => false,
  );
}
