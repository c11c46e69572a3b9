import { QUOTE_SOURCES } from '@gatehouse/domain/quote-sources';
import envSchema from 'env-schema';
import Type, { type Static } from 'typebox';

const Port = (fallback: number) => Type.Integer({ minimum: 0, maximum: 65_535, default: fallback });

/** Every setting of the gateway. `.env.example` describes them; a test holds the two against each other. */
export const schema = Type.Object({
  HOST: Type.String({ default: '127.0.0.1', minLength: 1 }),
  PORT: Port(3000),
  METRICS_PORT: Port(0),
  PUBLIC_URL: Type.String({ default: 'http://127.0.0.1:3000', pattern: '^https?://[^/]+$' }),
  DATABASE_URL: Type.String({ pattern: '^postgres(ql)?://' }),
  DATABASE_CONNECTIONS: Type.Integer({ minimum: 1, maximum: 1000, default: 20 }),
  REDIS_URL: Type.String({ pattern: '^rediss?://' }),
  AUTH_SECRET: Type.String({ minLength: 32 }),
  AUTH_SIGNING_KEYS: Type.String({ minLength: 1 }),
  LOG_LEVEL: Type.Enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'], {
    default: 'info',
  }),
  SHUTDOWN_DEADLINE_SECONDS: Type.Integer({ minimum: 1, maximum: 600, default: 25 }),
  TRUST_PROXY: Type.String({ default: '' }),
  CORS_ORIGINS: Type.String({ default: '' }),
  RATE_LIMIT_MAX: Type.Integer({ minimum: 0, default: 600 }),
  RATE_LIMIT_WINDOW_SECONDS: Type.Integer({ minimum: 1, maximum: 86_400, default: 60 }),
  RATE_LIMIT_AUTH_MAX: Type.Integer({ minimum: 0, default: 20 }),
  PAPER_STARTING_CASH: Type.String({ default: '100000.00', pattern: '^\\d{1,12}(\\.\\d{1,2})?$' }),
  BROKER: Type.Enum(['paper'], { default: 'paper' }),
  QUOTES: Type.Enum([...QUOTE_SOURCES], { default: 'simulated' }),
});

export type Config = Static<typeof schema>;

/**
 * Reads the configuration from environment variables. An empty value counts as not given.
 *
 * @throws one error that names every variable that is missing or bad
 */
export function readConfig(environment: NodeJS.ProcessEnv = process.env): Config {
  const given = Object.fromEntries(
    Object.entries(environment).filter(
      ([name, value]) => name in schema.properties && value !== '',
    ),
  );
  return envSchema<Config>({ schema, data: given, env: false });
}
