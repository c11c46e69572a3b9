import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import process, { env } from 'node:process';
import { fileURLToPath } from 'node:url';
import { StartError } from './errors.ts';

/** The root of the repository. */
export const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

export interface StartConfig {
  /** Where the stack keeps its data, absolute. */
  dir: string;
  /** What the APIs listen on. */
  host: string;
  /** One for each API process. */
  ports: number[];
  /** Of the first API; 0 for any. */
  metricsPort: number;
  workers: number;
  /** Null: embedded. */
  databaseUrl: string | null;
  redisUrl: string | null;
  smtpUrl: string | null;
  publicUrl: string | null;
  authSecret: string | null;
  authSigningKeys: string | null;
  authSigningKeysFile: string | null;
  /** Null: a fake Stripe is embedded. */
  stripeSecretKey: string | null;
  stripeApiUrl: string;
  stripeWebhookSecrets: string | null;
  webhookSecretKeys: string | null;
  webhookAllowPrivate: string;
  webhookAllowHttp: string;
  shutdownDeadlineMs: number;
  searchPath: string;
  /** Everything that was set, for the children. */
  environment: NodeJS.ProcessEnv;
}

/**
 * Reads the environment, and the `.env` file at the root for what it leaves out.
 *
 * @throws StartError that names the variable whose value will not do.
 */
export function readConfig(): StartConfig {
  const file = join(ROOT, '.env');
  if (existsSync(file)) process.loadEnvFile(file);
  const port = integer('PORT', 3000, 1, 65_535);
  const apis = integer('APIS', 1, 1, 64);
  if (port + apis > 65_536) throw new StartError(`PORT ${port} leaves no room for APIS ${apis}`);
  const ports = Array.from({ length: apis }, (_, index) => port + index);
  const metricsPort = integer('METRICS_PORT', 0, 0, 65_535);
  if (ports.includes(metricsPort)) {
    throw new StartError(`METRICS_PORT ${metricsPort} is also a port of the API: set another`);
  }
  return {
    dir: resolve(ROOT, text('GATEHOUSE_DIR') ?? '.gatehouse'),
    host: text('HOST') ?? '127.0.0.1',
    ports,
    metricsPort,
    workers: integer('WORKERS', 1, 1, 64),
    databaseUrl: url('DATABASE_URL', ['postgres:', 'postgresql:']),
    redisUrl: url('REDIS_URL', ['redis:', 'rediss:']),
    smtpUrl: url('SMTP_URL', ['smtp:', 'smtps:']),
    publicUrl: url('PUBLIC_URL', ['http:', 'https:']),
    authSecret: text('AUTH_SECRET'),
    authSigningKeys: text('AUTH_SIGNING_KEYS'),
    authSigningKeysFile: text('AUTH_SIGNING_KEYS_FILE'),
    stripeSecretKey: stripeSecretKey(),
    stripeApiUrl: url('STRIPE_API_URL', ['http:', 'https:']) ?? 'https://api.stripe.com',
    stripeWebhookSecrets: stripeWebhookSecrets(),
    webhookSecretKeys: text('WEBHOOK_SECRET_KEYS'),
    webhookAllowPrivate: text('WEBHOOK_ALLOW_PRIVATE') ?? 'true',
    webhookAllowHttp: text('WEBHOOK_ALLOW_HTTP') ?? 'true',
    shutdownDeadlineMs: integer('SHUTDOWN_DEADLINE_SECONDS', 25, 1, 3600) * 1000,
    searchPath: searchPath(),
    environment: env,
  };
}

/** Where programs are looked for. */
export function searchPath(): string {
  return env.PATH ?? '';
}

/** A variable that is set to nothing is not set. */
function text(name: string): string | null {
  const value = env[name]?.trim();
  return value ? value : null;
}

/** Checked here as well as by the applications, which come up last. */
function stripeSecretKey(): string | null {
  const value = text('STRIPE_SECRET_KEY');
  if (value === null || /^(sk|rk)_(test|live)_[\x21-\x7e]+$/.test(value)) return value;
  throw new StartError(
    'STRIPE_SECRET_KEY must be a secret or a restricted key, which begins with sk_test_, rk_test_, sk_live_ or rk_live_',
  );
}

function stripeWebhookSecrets(): string | null {
  const value = text('STRIPE_WEBHOOK_SECRETS');
  if (value === null || value.split(',').some((one) => one.trim() !== '')) return value;
  throw new StartError('STRIPE_WEBHOOK_SECRETS must be secrets (whsec_…), comma separated');
}

function integer(name: string, fallback: number, min: number, max: number): number {
  const value = text(name);
  if (value === null) return fallback;
  const number = Number(value);
  if (/^\d+$/.test(value) && number >= min && number <= max) return number;
  throw new StartError(`${name} must be a whole number from ${min} to ${max}, not "${value}"`);
}

function url(name: string, protocols: string[]): string | null {
  const value = text(name);
  if (value === null) return null;
  if (protocols.includes(URL.parse(value)?.protocol ?? '')) return value;
  // The value may hold a password: it is not repeated.
  throw new StartError(`${name} must be a URL that begins with ${protocols.join('// or ')}//`);
}
