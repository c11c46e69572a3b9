import { QUOTE_SOURCES } from '@gatehouse/domain/quote-sources';
import { envSchema } from 'env-schema';
import Type, { type Static } from 'typebox';

/** Every setting of the worker. `.env.example` describes them. */
export const schema = Type.Object({
  DATABASE_URL: Type.String({ pattern: '^postgres(ql)?://' }),
  REDIS_URL: Type.String({ pattern: '^rediss?://' }),
  SMTP_URL: Type.String({ pattern: '^smtps?://' }),
  MAIL_FROM: Type.String({
    default: 'Gatehouse <no-reply@gatehouse.test>',
    pattern: '^[^<>\\r\\n]*<?[^\\s<>@]+@[A-Za-z0-9.-]+>?$',
  }),
  PUBLIC_URL: Type.String({ default: 'http://127.0.0.1:3000', pattern: '^https?://[^/]+$' }),
  HOST: Type.String({ default: '127.0.0.1', minLength: 1 }),
  METRICS_PORT: Type.Integer({ minimum: 0, maximum: 65_535, default: 0 }),
  WORKER_CONCURRENCY: Type.Integer({ minimum: 1, maximum: 256, default: 16 }),
  LOG_LEVEL: Type.Enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'], {
    default: 'info',
  }),
  SHUTDOWN_DEADLINE_SECONDS: Type.Integer({ minimum: 1, maximum: 600, default: 25 }),
  BROKER: Type.Enum(['paper'], { default: 'paper' }),
  QUOTES: Type.Enum([...QUOTE_SOURCES], { default: 'simulated' }),
});

export type Config = Static<typeof schema>;

/**
 * Reads the configuration from environment variables. An empty value counts as not given.
 *
 * @throws one error that names every variable that is missing or bad, and repeats no value
 */
export function readConfig(environment: NodeJS.ProcessEnv = process.env): Config {
  const given = Object.fromEntries(
    Object.entries(environment).filter(
      ([name, value]) => name in schema.properties && value !== '',
    ),
  );
  // `env: false`: otherwise the values that were left out here would come back from process.env.
  return envSchema<Config>({ schema, data: given, env: false });
}
