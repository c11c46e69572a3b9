import { readSettings, sharedSettings } from '@gatehouse/domain/settings';
import { alpacaSettings, marketSettings } from '@gatehouse/market/settings';
import { paymentSettings } from '@gatehouse/payments/settings';
import { webhookSettings } from '@gatehouse/webhooks/settings';
import Type, { type Static } from 'typebox';
import { trustedProxies } from './http/trusted-proxies.ts';

/** Every setting of the gateway. `.env.example` describes them; a test holds the two against each other. */
export const schema = Type.Object({
  ...sharedSettings,
  ...marketSettings,
  ...paymentSettings,
  ...webhookSettings,
  PORT: Type.Integer({ minimum: 0, maximum: 65_535, default: 3000 }),
  PUBLIC_URL: Type.String({ default: 'http://127.0.0.1:3000', pattern: '^https?://[^/]+$' }),
  DATABASE_CONNECTIONS: Type.Integer({ minimum: 1, maximum: 1000, default: 20 }),
  // Comma separated, each of 32 characters or more.
  AUTH_SECRET: Type.String({
    pattern: '^\\s*[^,\\s][^,]{30,}[^,\\s]\\s*(,\\s*[^,\\s][^,]{30,}[^,\\s]\\s*)*$',
  }),
  AUTH_SIGNING_KEYS: Type.String({ default: '' }),
  AUTH_SIGNING_KEYS_FILE: Type.String({ default: '' }),
  PASSWORD_HASHING_CONCURRENCY: Type.Integer({ minimum: 0, maximum: 64, default: 0 }),
  SESSION_IDLE_SECONDS: Type.Integer({ minimum: 60, default: 604_800 }),
  SESSION_LIFETIME_SECONDS: Type.Integer({ minimum: 60, default: 2_592_000 }),
  HEADERS_TIMEOUT_SECONDS: Type.Integer({ minimum: 1, maximum: 600, default: 10 }),
  REQUEST_TIMEOUT_SECONDS: Type.Integer({ minimum: 1, maximum: 600, default: 30 }),
  TRUST_PROXY: Type.String({ default: '' }),
  CORS_ORIGINS: Type.String({ default: '' }),
  RATE_LIMIT_MAX: Type.Integer({ minimum: 0, default: 600 }),
  RATE_LIMIT_WINDOW_SECONDS: Type.Integer({ minimum: 1, maximum: 86_400, default: 60 }),
  RATE_LIMIT_AUTH_MAX: Type.Integer({ minimum: 0, default: 20 }),
  LOGIN_THROTTLE: Type.Boolean({ default: true }),
  // Comma separated; each is used as it is, with its `whsec_`.
  STRIPE_WEBHOOK_SECRETS: Type.String({ default: '' }),
  STRIPE_WEBHOOK_REJECTS_MAX: Type.Integer({ minimum: 0, default: 3_000 }),
  MAX_EVENT_LOOP_DELAY_MS: Type.Integer({ minimum: 0, default: 500 }),
  MAX_REQUESTS_IN_FLIGHT: Type.Integer({ minimum: 0, default: 500 }),
  PAPER_STARTING_CASH: Type.String({ default: '100000.00', pattern: '^\\d{1,12}(\\.\\d{1,2})?$' }),
});

export type Config = Static<typeof schema>;

/** In the schema, so that one error names these as well with all others that are missing. */
const hasSigningKeys = ['AUTH_SIGNING_KEYS', 'AUTH_SIGNING_KEYS_FILE'].map((name) => ({
  type: 'object',
  required: [name],
  properties: { [name]: { type: 'string', minLength: 1 } },
}));

/** @throws one error that names every variable that is missing or bad, or else the keys that a broker needs, or TRUST_PROXY */
export function readConfig(environment: NodeJS.ProcessEnv = process.env): Config {
  const config = readSettings(
    Type.Object(schema.properties, { anyOf: hasSigningKeys }),
    environment,
  );
  if (config.AUTH_SIGNING_KEYS !== '' && config.AUTH_SIGNING_KEYS_FILE !== '') {
    throw new Error('AUTH_SIGNING_KEYS and AUTH_SIGNING_KEYS_FILE are both set: set one of them');
  }
  alpacaSettings(config);
  trustedProxies(config.TRUST_PROXY);
  return config;
}

/** The secrets of AUTH_SECRET: new things are made with the first, what was made with the others is known still. */
export function authSecrets({ AUTH_SECRET }: Pick<Config, 'AUTH_SECRET'>): [string, ...string[]] {
  const [first = '', ...others] = AUTH_SECRET.split(',').map((secret) => secret.trim());
  return [first, ...others];
}

/** The origins of pages that may call. */
export function origins({ CORS_ORIGINS }: Pick<Config, 'CORS_ORIGINS'>): string[] {
  return listOf(CORS_ORIGINS);
}

/** What an event from Stripe may be signed with. */
export function stripeWebhookSecrets({
  STRIPE_WEBHOOK_SECRETS,
}: Pick<Config, 'STRIPE_WEBHOOK_SECRETS'>): string[] {
  return listOf(STRIPE_WEBHOOK_SECRETS);
}

function listOf(text: string): string[] {
  return text
    .split(',')
    .map((one) => one.trim())
    .filter((one) => one !== '');
}
