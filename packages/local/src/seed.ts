import { setTimeout as delay } from 'node:timers/promises';
import { createDatabase } from '@gatehouse/db/client';
import { setUserRole } from '@gatehouse/db/users';
import { apiUrl } from './apps.ts';
import type { StartConfig } from './config.ts';
import { StartError } from './errors.ts';
import { say } from './progress.ts';
import { DEMO_ROLES, type DemoRole, type Secrets } from './secrets.ts';
import type { Stack } from './stack-file.ts';

const CALL_TIMEOUT_MS = 30_000;
/** Of a gateway that has just started on a busy machine, and turns away what it cannot do yet. */
const BUSY_ATTEMPTS = 30;
const BUSY_PAUSE_MS = 1000;

export interface SeedOptions {
  config: StartConfig;
  databaseUrl: string;
  secrets: Secrets;
  /** Keeps what the next start should know. */
  save: (secrets: Secrets) => void;
  signal: AbortSignal;
}

/**
 * Makes the demo accounts and the demo user's API key, through the API as anyone would, and gives them for `stack.json`.
 *
 * May run any number of times. When the stored key still works, nothing else is asked of the API, whose log-in is
 * rate limited. An account that exists with another password is left out, with a notice.
 */
export async function seed(options: SeedOptions): Promise<Stack['demo']> {
  const { config, databaseUrl, secrets, save, signal } = options;
  const { demo, seeded } = secrets;
  const database = databaseName(config);
  const api = { url: apiUrl(config, config.ports[0] ?? 0), signal };
  if (seeded?.database === database && (await keyWorks(api, seeded.apiKey))) {
    return { ...demo, user: { ...demo.user, apiKey: seeded.apiKey } };
  }

  const tokens = new Map<DemoRole, string>();
  await Promise.all(
    DEMO_ROLES.map(async (role) => {
      const token = await signIn(api, demo[role]);
      if (token === null)
        say(`  ${demo[role].email} cannot be logged in to (another password?): left out`);
      else tokens.set(role, token);
    }),
  );
  const promoted = (['admin', 'operator'] as const).filter((role) => tokens.has(role));
  await setRoles(databaseUrl, promoted, secrets);

  const userToken = tokens.get('user');
  const apiKey = userToken === undefined ? null : await makeKey(api, userToken);
  if (apiKey !== null && tokens.size === DEMO_ROLES.length) {
    save({ ...secrets, seeded: { database, apiKey } });
  }
  return {
    ...(apiKey !== null && { user: { ...demo.user, apiKey } }),
    ...Object.fromEntries(promoted.map((role) => [role, demo[role]])),
  };
}

/** Tells databases apart without naming a password. The embedded one's URL changes from start to start. */
function databaseName({ databaseUrl }: StartConfig): string {
  if (databaseUrl === null) return 'embedded';
  const { host, pathname } = new URL(databaseUrl);
  return `${host}${pathname}`;
}

async function keyWorks(api: Api, apiKey: string): Promise<boolean> {
  const response = await call(api, 'GET', '/v1/account', { token: apiKey });
  return response.status === 200;
}

/** Registers the account, or logs in to it: its access token, or null when its password is another. */
async function signIn(
  api: Api,
  account: { email: string; password: string },
): Promise<string | null> {
  const { email, password } = account;
  const name = `${email.split('@')[0]}`;
  const registered = await call(api, 'POST', '/v1/auth/register', {
    body: { email, password, name },
  });
  if (registered.status === 201) return field(registered, 'accessToken');
  if (registered.status !== 409) throw refused(`registering ${email}`, registered);
  const loggedIn = await call(api, 'POST', '/v1/auth/login', { body: { email, password } });
  if (loggedIn.status === 200) return field(loggedIn, 'accessToken');
  // Another password, or, after several such starts in a row, the rate limit.
  if (loggedIn.status < 500) return null;
  throw refused(`logging in ${email}`, loggedIn);
}

async function makeKey(api: Api, token: string): Promise<string> {
  const made = await call(api, 'POST', '/v1/api-keys', { token, body: { name: 'demo' } });
  if (made.status !== 201) throw refused('making the demo API key', made);
  return field(made, 'key');
}

/** There is no account yet that could give roles over the API: the first ones come from the database. */
async function setRoles(
  databaseUrl: string,
  roles: ('admin' | 'operator')[],
  { demo }: Secrets,
): Promise<void> {
  if (roles.length === 0) return;
  const db = createDatabase(databaseUrl);
  try {
    for (const role of roles) await setUserRole(db, demo[role].email, role);
  } finally {
    await db.$disconnect();
  }
}

interface Api {
  url: string;
  signal: AbortSignal;
}

interface Answer {
  status: number;
  body: Record<string, unknown>;
}

async function call(
  api: Api,
  method: 'GET' | 'POST',
  path: string,
  content: { token?: string; body?: object },
): Promise<Answer> {
  for (let attempt = 1; ; attempt++) {
    const answer = await callOnce(api, method, path, content);
    if (answer.status !== 503 || attempt === BUSY_ATTEMPTS) return answer;
    await delay(BUSY_PAUSE_MS, undefined, { signal: api.signal });
  }
}

async function callOnce(
  { url, signal }: Api,
  method: 'GET' | 'POST',
  path: string,
  { token, body }: { token?: string; body?: object },
): Promise<Answer> {
  const response = await fetch(`${url}${path}`, {
    method,
    headers: {
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
      ...(body && { 'content-type': 'application/json' }),
    },
    ...(body && { body: JSON.stringify(body) }),
    signal: AbortSignal.any([signal, AbortSignal.timeout(CALL_TIMEOUT_MS)]),
  });
  const text = await response.text();
  const json = response.headers.get('content-type')?.includes('json') ?? false;
  return { status: response.status, body: json ? JSON.parse(text) : {} };
}

function field({ body }: Answer, name: string): string {
  const value = body[name];
  if (typeof value === 'string') return value;
  throw new StartError(`the API's answer lacks ${name}`);
}

function refused(what: string, { status, body }: Answer): StartError {
  return new StartError(`${what} failed: ${status} ${body.code ?? ''} ${body.detail ?? ''}`.trim());
}
