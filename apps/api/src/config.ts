import { readSettings, sharedSettings } from '@gatehouse/domain/settings';
import { alpacaSettings, marketSettings } from '@gatehouse/market/settings';
import Type, { type Static } from 'typebox';

/** Every setting of the gateway. `.env.example` describes them; a test holds the two against each other. */
export const schema = Type.Object({
  ...sharedSettings,
  ...marketSettings,
  PORT: Type.Integer({ minimum: 0, maximum: 65_535, default: 3000 }),
  PUBLIC_URL: Type.String({ default: 'http://127.0.0.1:3000', pattern: '^https?://[^/]+$' }),
  DATABASE_CONNECTIONS: Type.Integer({ minimum: 1, maximum: 1000, default: 20 }),
  AUTH_SECRET: Type.String({ minLength: 32 }),
  AUTH_SIGNING_KEYS: Type.String({ minLength: 1 }),
  SESSION_IDLE_SECONDS: Type.Integer({ minimum: 60, default: 604_800 }),
  SESSION_LIFETIME_SECONDS: Type.Integer({ minimum: 60, default: 2_592_000 }),
  TRUST_PROXY: Type.String({ default: '' }),
  CORS_ORIGINS: Type.String({ default: '' }),
  RATE_LIMIT_MAX: Type.Integer({ minimum: 0, default: 600 }),
  RATE_LIMIT_WINDOW_SECONDS: Type.Integer({ minimum: 1, maximum: 86_400, default: 60 }),
  RATE_LIMIT_AUTH_MAX: Type.Integer({ minimum: 0, default: 20 }),
  PAPER_STARTING_CASH: Type.String({ default: '100000.00', pattern: '^\\d{1,12}(\\.\\d{1,2})?$' }),
});

export type Config = Static<typeof schema>;

/** @throws one error that names every variable that is missing or bad, or else the keys that a broker needs */
export function readConfig(environment: NodeJS.ProcessEnv = process.env): Config {
  const config = readSettings(schema, environment);
  alpacaSettings(config);
  return config;
}

/** The origins of pages that may call. */
export function origins({ CORS_ORIGINS }: Pick<Config, 'CORS_ORIGINS'>): string[] {
  return CORS_ORIGINS.split(',')
    .map((origin) => origin.trim())
    .filter((origin) => origin !== '');
}
