import { readSettings, sharedSettings } from '@gatehouse/domain/settings';
import { alpacaSettings, marketSettings } from '@gatehouse/market/settings';
import { paymentSettings } from '@gatehouse/payments/settings';
import { webhookSettings } from '@gatehouse/webhooks/settings';
import Type, { type Static } from 'typebox';

/** Every setting of the worker. `.env.example` describes them. */
export const schema = Type.Object({
  ...sharedSettings,
  ...marketSettings,
  ...paymentSettings,
  ...webhookSettings,
  SMTP_URL: Type.String({ pattern: '^smtps?://' }),
  MAIL_FROM: Type.String({
    default: 'Gatehouse <no-reply@gatehouse.test>',
    pattern: '^[^<>\\r\\n]*<?[^\\s<>@]+@[A-Za-z0-9.-]+>?$',
  }),
  PUBLIC_URL: Type.String({ default: 'http://127.0.0.1:3000', pattern: '^https?://[^/]+$' }),
  PASSWORD_RESET_URL: Type.String({ default: '', pattern: '^(https?://[^#]+)?$' }),
  WORKER_CONCURRENCY: Type.Integer({ minimum: 1, maximum: 256, default: 64 }),
});

export type Config = Static<typeof schema>;

/** @throws one error that names every variable that is missing or bad, or else the keys that a broker needs */
export function readConfig(environment: NodeJS.ProcessEnv = process.env): Config {
  const config = readSettings(schema, environment);
  alpacaSettings(config);
  return config;
}

/** The page on which somebody chooses a new password. The token of its mail follows as the fragment. */
export function passwordResetUrl({
  PUBLIC_URL,
  PASSWORD_RESET_URL,
}: Pick<Config, 'PUBLIC_URL' | 'PASSWORD_RESET_URL'>): string {
  return PASSWORD_RESET_URL || `${PUBLIC_URL}/password-reset`;
}
