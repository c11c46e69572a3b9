import { envSchema } from 'env-schema';
import Type, { type Static, type TObject } from 'typebox';

/** The settings that every process of the system has, for its own schema to include. */
export const sharedSettings = {
  HOST: Type.String({ default: '127.0.0.1', minLength: 1 }),
  METRICS_PORT: Type.Integer({ minimum: 0, maximum: 65_535, default: 0 }),
  DATABASE_URL: Type.String({ pattern: '^postgres(ql)?://' }),
  REDIS_URL: Type.String({ pattern: '^rediss?://' }),
  LOG_LEVEL: Type.Enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'], {
    default: 'info',
  }),
  SHUTDOWN_DEADLINE_SECONDS: Type.Integer({ minimum: 1, maximum: 600, default: 25 }),
};

/**
 * Reads settings from environment variables. An empty value counts as not given.
 *
 * @throws one error that names every variable that is missing or bad, and repeats no value
 */
export function readSettings<S extends TObject>(
  schema: S,
  environment: Readonly<Record<string, string | undefined>>,
): Static<S> {
  const given = Object.fromEntries(
    Object.entries(environment).filter(
      ([name, value]) => name in schema.properties && value !== '',
    ),
  );
  // `env: false`: otherwise the values that were left out here would come back from process.env.
  return envSchema<Static<S>>({ schema, data: given, env: false });
}
