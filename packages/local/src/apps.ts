import { join } from 'node:path';
import { ROOT, type StartConfig } from './config.ts';
import type { Guard } from './guard.ts';
import { launch, type Service, untilReady } from './launch.ts';
import type { Secrets } from './secrets.ts';

const READY_DEADLINE_MS = 60_000;
/** Beyond its own deadline, in which it answers what it has taken. */
const STOP_MARGIN_MS = 5000;

/** What an API or a worker process is started from. */
export interface AppDescription {
  /** `api-1`: in notices, and the name of its log. */
  name: string;
  /** Its entry, from the root of the repository. */
  entry: string;
  env: NodeJS.ProcessEnv;
}

/** An API or worker process that is ready. */
export interface App extends Service {
  /** Null for a worker. */
  readonly url: string | null;
  /** Where it serves /metrics (a worker also /health and /ready). */
  readonly internalUrl: string;
}

/** Where the parts that the apps use are. */
export interface Surroundings {
  databaseUrl: string;
  redisUrl: string;
  smtpUrl: string;
  stripe: { apiUrl: string; secretKey: string; webhookSecrets: string };
  /** Of access tokens; null when the environment has them. */
  signingKeysFile: string | null;
}

/** The URL under which clients on this machine reach the API on `port`. */
export function apiUrl(config: StartConfig, port: number): string {
  const everywhere = ['0.0.0.0', '::', 'localhost'].includes(config.host);
  const host = everywhere ? '127.0.0.1' : config.host;
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
}

/** One description for each API process. */
export function describeApis(config: StartConfig, around: Surroundings, secrets: Secrets) {
  return config.ports.map(
    (port, index): AppDescription => ({
      name: `api-${index + 1}`,
      entry: 'apps/api/src/main.ts',
      env: {
        ...commonEnv(config, around, secrets),
        PORT: `${port}`,
        METRICS_PORT: `${index === 0 ? config.metricsPort : 0}`,
      },
    }),
  );
}

/** One description for each worker process. */
export function describeWorkers(config: StartConfig, around: Surroundings, secrets: Secrets) {
  return Array.from(
    { length: config.workers },
    (_, index): AppDescription => ({
      name: `worker-${index + 1}`,
      entry: 'apps/worker/src/main.ts',
      env: {
        ...commonEnv(config, around, secrets),
        PORT: `${config.ports[0]}`,
        METRICS_PORT: '0',
      },
    }),
  );
}

/** Starts the process and waits for its message `{type: 'ready', url, internalUrl}`. */
export async function startApp(
  app: AppDescription,
  options: { config: StartConfig; logFile: string; guard: Guard; signal: AbortSignal },
): Promise<App> {
  const { config, logFile, guard, signal } = options;
  const launched = await launch({
    name: app.name,
    command: process.execPath,
    args: [join(ROOT, app.entry)],
    cwd: ROOT,
    env: app.env,
    logFile,
    ipc: true,
    stopSignal: 'SIGTERM',
    stopDeadlineMs: config.shutdownDeadlineMs + STOP_MARGIN_MS,
    guard,
  });
  let ready: { url: string | null; internalUrl: string } | null = null;
  launched.process.on('message', (message) => {
    if (isReady(message)) ready = { url: message.url, internalUrl: message.internalUrl };
  });
  const waiting = { name: app.name, logFile, deadlineMs: READY_DEADLINE_MS, signal };
  return { ...launched, ...(await untilReady(launched, waiting, () => ready)) };
}

function commonEnv(config: StartConfig, around: Surroundings, secrets: Secrets): NodeJS.ProcessEnv {
  return {
    ...config.environment,
    HOST: config.host,
    DATABASE_URL: around.databaseUrl,
    REDIS_URL: around.redisUrl,
    SMTP_URL: around.smtpUrl,
    AUTH_SECRET: config.authSecret ?? secrets.authSecret,
    ...(around.signingKeysFile !== null && { AUTH_SIGNING_KEYS_FILE: around.signingKeysFile }),
    STRIPE_SECRET_KEY: around.stripe.secretKey,
    STRIPE_API_URL: around.stripe.apiUrl,
    STRIPE_WEBHOOK_SECRETS: around.stripe.webhookSecrets,
    PUBLIC_URL: config.publicUrl ?? `http://127.0.0.1:${config.ports[0]}`,
    WEBHOOK_SECRET_KEYS: config.webhookSecretKeys ?? secrets.webhookSecretKey,
    WEBHOOK_ALLOW_PRIVATE: config.webhookAllowPrivate,
    WEBHOOK_ALLOW_HTTP: config.webhookAllowHttp,
  };
}

function isReady(message: unknown): message is { url: string | null; internalUrl: string } {
  if (typeof message !== 'object' || message === null) return false;
  const { type, url, internalUrl } = message as Record<string, unknown>;
  return (
    type === 'ready' && typeof internalUrl === 'string' && (url === null || typeof url === 'string')
  );
}
